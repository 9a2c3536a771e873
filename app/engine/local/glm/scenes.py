"""Pictures and videos of a conversation → what is shown of them: measured first, by their heads,
so that a prompt's length is known before anything is decoded. Knows no template and no tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.engine.local import footage
from app.engine.local.footage import Bounds, Reel
from app.engine.local.glm.clips import sample, stamps, thinned
from app.engine.local.glm.look import Look
from app.engine.local.glm.picture import Pixels, Size, all_decoded, decoded, measured
from app.engine.local.glm.pixels import fitted, fitted_film
from app.engine.local.glm.prompt import Shown
from app.engine.local.glm.shelf import Shelf
from app.engine.request.turn import Clip
from app.vocabulary import Frame

Film: TypeAlias = tuple[bytes, ...]  # frames as pictures

_KNOWN = 4096  # pictures, and videos
_KEPT = 256 << 20  # bytes of decoded films
_AT_HAND = 256 << 20  # bytes of decoded pictures that one prompt may carry


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture or a video, measured and not yet decoded.

    `name` is what a sentence calls it; `size` what it is resized to (a picture that is turned
    upright may still swap the two); `picks` are the numbers of the frames that are shown and
    `stamps` the text behind each temporal group of them: both empty for a picture.
    """

    part: Frame | Clip
    name: str
    size: Size
    picks: tuple[int, ...] = ()
    stamps: tuple[str, ...] = ()

    @property
    def filmed(self) -> bool:
        return isinstance(self.part, Clip)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """What fills one run of placeholders; `key` stands for all that will be seen of it."""

    size: Size
    key: str
    frames: tuple[Shown, ...]


class Eyes:
    """Looks at what a conversation shows, and remembers what it has looked at; for any thread."""

    def __init__(self, look: Look, bounds: Bounds | None = None) -> None:
        self.look = look
        self._bounds = bounds or Bounds()
        self._upright: Shelf[Size] = Shelf(_KNOWN)  # of pictures that could be decoded
        self._reels: Shelf[Reel] = Shelf(_KNOWN)
        self._films: Shelf[Film] = Shelf(_KEPT, lambda film: sum(map(len, film)))

    def measure(self, part: Frame | Clip, name: str) -> Scene:
        """How much of it will be seen. Raises EndpointFault("bad_request" | "unsupported")."""
        if isinstance(part, Frame):
            return Scene(part, name, fitted(measured(part.image, name), self.look, name))
        return self._strip(part, name) if part.frames else self._container(part, name)

    def show(self, scenes: Sequence[Scene]) -> list[tuple[Group, ...]]:
        """The groups of each scene, its pictures decoded if they are new: what can't be decoded
        fails here and not while the model reads. Raises EndpointFault("bad_request")."""
        hand = _Hand(_AT_HAND)
        self._decode_at_once(scenes, hand)
        return [self._groups(scene, hand) for scene in scenes]

    def _decode_at_once(self, scenes: Sequence[Scene], hand: _Hand) -> None:
        """Put new pictures into `hand`, as many as it can carry: decoded side by side, for one
        alone takes 30 ms."""
        new: dict[str, tuple[bytes, str]] = {}
        room = _AT_HAND
        for scene in scenes:
            if isinstance(scene.part, Frame):
                key = hand.digest(scene.part.image)
                if self._upright.take(key) is None and key not in new:
                    height, width = measured(scene.part.image, scene.name)
                    room -= 3 * height * width
                    if room >= 0:
                        new[key] = scene.part.image, scene.name
        hand.found = dict(zip(new, all_decoded(list(new.values())), strict=True))

    def _groups(self, scene: Scene, hand: _Hand) -> tuple[Group, ...]:
        if isinstance(scene.part, Frame):
            upright, pixels = self._decoded(scene.part.image, scene.name, hand)
            size = fitted(upright, self.look, scene.name)
            return (_group([Shown(scene.part.image, pixels, size)], hand),)
        frames = (self._stills if scene.part.frames else self._film)(scene.part, scene, hand)
        pairs = self.look.temporal
        frames += frames[-1:] * (-len(frames) % pairs)
        return tuple(_group(frames[at : at + pairs], hand) for at in range(0, len(frames), pairs))

    def _decoded(self, image: bytes, name: str, hand: _Hand) -> tuple[Size, Pixels | None]:
        """A picture's upright size, and its pixels unless it is known to be good."""
        key = hand.digest(image)
        upright = self._upright.take(key)
        if upright is not None:
            return upright, None
        pixels = hand.found.get(key)
        if pixels is None:
            pixels = decoded(image, name)
        upright = (pixels.shape[0], pixels.shape[1])
        self._upright.put(key, upright)
        return upright, hand.held(pixels)

    # --- videos -----------------------------------------------------------------------------

    def _strip(self, clip: Clip, name: str) -> Scene:
        """A video that came as its frames."""
        filming = self.look.filming
        picks = thinned(len(clip.frames), filming)
        sizes = [measured(clip.frames[number].image, _nth(name, number)) for number in picks]
        times = clip.times or tuple(range(len(clip.frames)))
        written = stamps([times[number] for number in picks], filming.stamps)
        size = fitted_film(sizes[0], len(picks), self.look, name)
        return Scene(clip, name, size, tuple(picks), written)

    def _stills(self, clip: Clip, scene: Scene, hand: _Hand) -> list[Shown]:
        images = [clip.frames[number].image for number in scene.picks]
        seen = [
            self._decoded(image, _nth(scene.name, number), hand)
            for image, number in zip(images, scene.picks, strict=True)
        ]
        size = fitted_film(seen[0][0], len(seen), self.look, scene.name)
        return [Shown(image, pixels, size) for image, (_, pixels) in zip(images, seen, strict=True)]

    def _container(self, clip: Clip, name: str) -> Scene:
        key = hashlib.sha256(clip.data).hexdigest()
        reel = self._reels.take(key)
        if reel is None:
            reel = footage.reel(clip.data, name, self._bounds)
            self._reels.put(key, reel)
        filming = self.look.filming
        picks = tuple(sample(reel, filming, self.look.temporal))
        size = fitted_film((reel.height, reel.width), len(picks), self.look, name)
        times = [number / reel.fps for number in picks]
        return Scene(clip, name, size, picks, stamps(times, filming.stamps))

    def _film(self, clip: Clip, scene: Scene, _: _Hand) -> list[Shown]:
        """A container's frames; kept for the next question about it, as far as there is room."""
        key = f"{hashlib.sha256(clip.data).hexdigest()} {scene.size} {scene.picks}"
        film = self._films.take(key)
        if film is None:
            film = footage.frames(
                clip.data, scene.name, indices=scene.picks, size=scene.size, bounds=self._bounds
            )
            self._films.put(key, film)
        return [Shown(image, None, scene.size) for image in film]


class _Hand:
    """Carries decoded pictures as far as it can; others are decoded again when they are read."""

    def __init__(self, room: int) -> None:
        self._room = room  # bytes
        self._digests: dict[int, tuple[bytes, str]] = {}  # held, so that no other has its number
        self.found: dict[str, Pixels] = {}  # what has been decoded ahead, by its digest

    def digest(self, image: bytes) -> str:
        """Reckoned once a prompt."""
        if id(image) not in self._digests:
            self._digests[id(image)] = image, hashlib.sha256(image).hexdigest()
        return self._digests[id(image)][1]

    def held(self, pixels: Pixels) -> Pixels | None:
        if pixels.nbytes > self._room:
            return None
        self._room -= pixels.nbytes
        return pixels


def _group(frames: Sequence[Shown], hand: _Hand) -> Group:
    height, width = frames[0].size
    seen = hashlib.sha256(f"{height}x{width}".encode())
    for shown in frames:
        seen.update(bytes.fromhex(hand.digest(shown.image)))
    return Group((height, width), seen.hexdigest(), tuple(frames))


def _nth(name: str, number: int) -> str:
    return f"Frame {number + 1} of {name[0].lower()}{name[1:]}"
