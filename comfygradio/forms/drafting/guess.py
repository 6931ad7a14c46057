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
    # The first finding that claims an input keeps it, so that the order decides.
    catch = Catch()
    catch.add(*find_media(graph), *find_texts(graph))
    _add_loose_texts(graph, catch, samplers)
    _add_loras(graph, catch)
    models = find_models(graph, ranks)
    sizes = find_sizes(graph, ranks, catch.has("prompt", "tags"))
    seeds = find_seeds(graph, samplers)
    catch.add(*models, *sizes, *seeds)
    known = find_known(graph, ranks)
    catch.add(*attach_splits(graph, known))
    catch.add(*find_titled(graph, catch))
    left_out = _settle(graph, catch, samplers)
    catch.findings += list(find_other_words(graph, catch.findings))
    return Guess(catch, tuple(left_out), ranks, samplers)


def _add_loose_texts(graph: Graph, catch: Catch, samplers: tuple[str, ...]) -> None:
    """Add the texts known by their names; beside those that samplers read they stand aside."""
    traced = catch.has("prompt", "tags")
    for found in find_loose_texts(graph, bool(samplers)):
        catch.add(replace(found, is_side=found.is_side or traced))


def _add_loras(graph: Graph, catch: Catch) -> None:
    """Add the LoRAs; the strengths of a list belong to it and become no fields of their own."""
    for found in find_loras(graph):
        catch.add(found)
        if found.role == "loras":
            for slot in found.slots:
                catch.claim(*list_strengths(graph, slot))


def _settle(graph: Graph, catch: Catch, samplers: tuple[str, ...]) -> list[Finding]:
    """Decide what stands first, in place; returns what the form is better without."""
    medium = find_medium(graph)
    catch.findings = _settle_denoise(graph, catch, starts_from_picture(graph, samplers))
    _settle_sides(catch, medium, bool(samplers))
    left_out: list[Finding] = []
    kept: list[Finding] = []
    for found, is_surplus in _count(catch.findings):
        if is_surplus or _is_useless(graph, found, medium):
            left_out.append(found)
        else:
            kept.append(found)
    catch.findings = kept
    return left_out


def _settle_sides(catch: Catch, medium: str, samples: bool) -> None:
    """Set aside, role by role, what is not among the first things people ask for."""
    _set_aside(catch, "prompt", lambda place: place >= MOST_PROMPTS)
    _set_aside(catch, "text", lambda place: place >= MOST_PROMPTS)
    roles = [found.role for found in catch.findings]
    has_models = roles.count("checkpoint") + roles.count("model") > 1
    _set_aside(catch, "checkpoint", lambda place: place > 0)
    _set_aside(catch, "model", lambda place: has_models)
    has_prompt = catch.has("prompt")
    _set_aside(catch, "upscale_model", lambda place: samples or has_prompt)
    has_size = catch.has("size")
    _set_aside(catch, "shape", lambda place: has_size or place >= MOST_SHAPES)
    has_seconds = catch.has("seconds")
    _set_aside(catch, "frames", lambda place: has_seconds or medium != "video")
    has_length = medium in ("video", "audio")
    _set_aside(catch, "seconds", lambda place: place > 0 or not has_length)
    _set_aside(catch, "seed", lambda place: place > 0)


def _count(findings: list[Finding]) -> Iterator[tuple[Finding, bool]]:
    """Each finding, and whether there are too many of its role before it."""
    counts: Counter[str] = Counter()
    for found in findings:
        counts[found.role] += 1
        most = MOST_FILES if found.role in ASKED else MOST_ALIKE
        yield found, counts[found.role] > most


def _settle_denoise(graph: Graph, catch: Catch, from_picture: bool) -> list[Finding]:
    """The first denoise of a workflow that starts from a picture is how much of it may change."""
    findings = list(catch.findings)
    if not from_picture:
        return findings
    for index, found in enumerate(findings):
        if found.role != "denoise":
            continue
        if graph.value(found.first) != 1:
            findings[index] = replace(found, role="strength")
        break
    return findings


def _set_aside(catch: Catch, role: str, is_side: Callable[[int], bool]) -> None:
    """Set findings of a role aside, in place, by how many of them stood before."""
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
