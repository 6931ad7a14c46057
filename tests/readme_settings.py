"""The table of settings in the README of the commands, from their declarations:
`python -m tests.readme_settings` writes it anew.
"""

from __future__ import annotations

from comfygradio.setting_declaration import Setting
from comfygradio.settings import list_settings
from tests import readmes

HEADING = "| Flag | Variable | Default |\n|---|---|---|\n"


def main() -> None:
    """Write the table into the README."""
    text = readmes.CLI.read_text(encoding="utf-8")
    readmes.CLI.write_text(replace_table(text), encoding="utf-8")


def replace_table(readme: str) -> str:
    """The README with its table of settings made anew."""
    before, old = readme.split(HEADING)
    _, after = old.split("\n\n", 1)
    rows = [describe_setting(one) for one in list_settings().values()]
    table = "\n".join(rows)
    return f"{before}{HEADING}{table}\n\n{after}"


def describe_setting(setting: Setting) -> str:
    """A row of the table."""
    variables = ", ".join(f"`{name}`" for name in setting.variables)
    if setting.variable_note:
        variables += f" ({setting.variable_note})"
    default = setting.readme.replace("{default}", setting.default_text)
    return f"| `{setting.flag}` | {variables} | {default} |"


if __name__ == "__main__":
    main()
