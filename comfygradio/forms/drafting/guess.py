"""The guess: everything that is recognised in a workflow, and what of it a simple form should ask
for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from comfygradio.forms.drafting.finding import Catch, Finding
from comfygradio.forms.drafting.graph import Graph
from comfygradio.forms.drafting.kinds import find_medium, starts_from_picture
from comfygradio.forms.drafting.loaders import find_loras, find_media, find_models, list_strengths
from comfygradio.forms.drafting.numbers import find_known, find_seeds
from comfygradio.forms.drafting.rest import find_titled
from comfygradio.forms.drafting.sizes import find_sizes
from comfygradio.forms.drafting.splits import attach_splits
from comfygradio.forms.drafting.texts import find_loose_texts, find_other_words, find_texts
from comfygradio.forms.drafting.trace import find_samplers, rank_nodes

MOST_PROMPTS = 3
"""So many texts are asked for at once; further ones stand under More settings."""


MOST_ALIKE = 6
"""So many fields of one role are drafted; further ones are only offered."""

MOST_FILES = 24
"""The same for what a workflow cannot do without: ASKED."""

ASKED = frozenset({"image", "mask", "video", "audio", "file", "prompt", "text", "tags", "lyrics"})

MOST_SHAPES = 2
"""Lists such as aspect ratio and resolution that are asked for at once."""


@dataclass(frozen=True)
class Guess:
    """What was recognised: `catch` for the form, `left_out` what is only offered, `ranks` as
    `rank_nodes` has them.
    """

    catch: Catch
    left_out: tuple[Finding, ...]
    ranks: Mapping[str, int]
    samplers: tuple[str, ...]


def guess_findings(graph: Graph) -> Guess:
    """Recognise prompt, seed, size, models, files and the other roles of a workflow."""
    samplers = find_samplers(graph)
    ranks = rank_nodes(graph, samplers)
    catch = Catch()
    catch.add(*find_media(graph), *find_texts(graph))
    traced = catch.has("prompt", "tags")
    catch.add(
        *(
            replace(found, is_side=found.is_side or traced)
            for found in find_loose_texts(graph, bool(samplers))
        )
    )
    for chain in find_loras(graph):
        catch.add(chain)
        if chain.role == "loras":
            catch.claim(
                *(strength for slot in chain.slots for strength in list_strengths(graph, slot))
            )
    catch.add(
        *find_models(graph, ranks),
        *find_sizes(graph, ranks, catch.has("prompt", "tags")),
        *find_seeds(graph, samplers),
    )
    catch.add(*attach_splits(graph, find_known(graph, ranks)))
    catch.add(*find_titled(graph, catch))
    left_out = _settle(graph, catch, samplers)
    catch.findings += list(find_other_words(graph, catch.findings))
    return Guess(catch, tuple(left_out), ranks, samplers)


def _settle(graph: Graph, catch: Catch, samplers: tuple[str, ...]) -> list[Finding]:
    """Decide what stands first, in place; returns what the form is better without."""
    medium = find_medium(graph)
    catch.findings = _settle_denoise(graph, catch, starts_from_picture(graph, samplers))
    _set_aside(catch, "prompt", lambda place: place >= MOST_PROMPTS)
    _set_aside(catch, "text", lambda place: place >= MOST_PROMPTS)
    models = [found.role for found in catch.findings if found.role in ("checkpoint", "model")]
    _set_aside(catch, "checkpoint", lambda place: place > 0)
    _set_aside(catch, "model", lambda place: len(models) > 1)
    _set_aside(catch, "upscale_model", lambda place: bool(samplers) or catch.has("prompt"))
    _set_aside(
        catch,
        "shape",
        lambda place: place >= MOST_SHAPES or any(f.role == "size" for f in catch.findings),
    )
    _set_aside(catch, "frames", lambda place: medium != "video" or catch.has("seconds"))
    _set_aside(catch, "seconds", lambda place: place > 0 or medium not in ("video", "audio"))
    _set_aside(catch, "seed", lambda place: place > 0)
    useless = [
        _is_useless(graph, found, medium) or surplus for found, surplus in _count(catch.findings)
    ]
    left_out = [found for found, is_out in zip(catch.findings, useless, strict=True) if is_out]
    catch.findings = [
        found for found, is_out in zip(catch.findings, useless, strict=True) if not is_out
    ]
    return left_out


def _count(findings: list[Finding]) -> Iterator[tuple[Finding, bool]]:
    """Each finding, and whether there are too many of its role before it."""
    counts: Counter[str] = Counter()
    for found in findings:
        counts[found.role] += 1
        yield found, counts[found.role] > (MOST_FILES if found.role in ASKED else MOST_ALIKE)


def _settle_denoise(graph: Graph, catch: Catch, from_picture: bool) -> list[Finding]:
    """The first denoise of a workflow that starts from a picture is how much of it may change."""
    denoises = [found for found in catch.findings if found.role == "denoise"]
    first = denoises[0] if denoises and from_picture else None
    if first is None or graph.value(first.first) == 1:
        return catch.findings
    return [
        replace(found, role="strength") if found is first else found for found in catch.findings
    ]


def _set_aside(catch: Catch, role: str, is_side: Callable[[int], bool]) -> None:
    place = 0
    for index, found in enumerate(catch.findings):
        if found.role == role and not found.is_side:
            catch.findings[index] = replace(found, is_side=is_side(place))
            place += 1


def _is_useless(graph: Graph, found: Finding, medium: str) -> bool:
    """Whether a setting makes no sense for this workflow: a pass that starts from noise, several
    videos at once.
    """
    if found.role == "denoise":
        return bool(graph.value(found.first) == 1)
    return found.role == "pictures" and medium != "image"
