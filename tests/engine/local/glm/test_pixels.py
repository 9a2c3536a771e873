"""Sizes, resizing and patches, held against transformers' own processors and against Pillow."""

from __future__ import annotations

import random
import struct
from functools import cache
from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.image_utils import load_image
from transformers.models.glm4v.image_processing_pil_glm4v import (
    Glm4vImageProcessorPil,
    smart_resize,
)
from transformers.models.glm46v.image_processing_pil_glm46v import Glm46VImageProcessorPil

from app.engine.local.glm.look import Look
from app.engine.local.glm.picture import all_decoded, decoded, measured
from app.engine.local.glm.pixels import fitted, patches, resized, smart_size
from app.engine.local.glm.prompt import Shown, Sight
from app.vocabulary import EndpointFault

PROCESSORS = [Glm4vImageProcessorPil, Glm46VImageProcessorPil]
ODD_SHAPES = [(1, 1), (200, 1), (3, 590), (27, 29), (28, 28), (333, 77), (480, 641), (1001, 1500)]


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Pixels of which no two are alike, many of them at the ends of their range."""
    chance = np.random.default_rng(seed)
    pixels = chance.integers(-80, 336, (height, width, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def written(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def sight_of(pixels: np.ndarray, look: Look) -> Sight:
    height, width = fitted(pixels.shape[:2], look, "Picture 1")
    grid = (1, height // look.patch, width // look.patch)
    return Sight(0, grid, "", (Shown(b"", pixels, (height, width)),))


# --- sizes ----------------------------------------------------------------------------------


def sizes_agree(height: int, width: int, frames: int, budget: tuple[int, int]) -> None:
    least, most = budget
    try:
        size = smart_size(height, width, frames=frames, factor=28, least=least, most=most)
    except ValueError:
        size = None
    try:
        other = smart_resize(
            frames, height, width, temporal_factor=2, min_pixels=least, max_pixels=most
        )
    except ValueError:
        other = None
    assert size == other


def test_five_thousand_sizes_are_those_of_transformers() -> None:
    chance = random.Random(5)
    budgets = [(12544, 11760000), (12544, 9633792), (12544, 47040000), (50000, 60000)]
    for _ in range(5000):
        height, width = (int(10 ** chance.uniform(0, 4.5)) for _ in range(2))
        sizes_agree(height, width, chance.choice([2, 2, 3, 5, 16, 601]), chance.choice(budgets))


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 30_000), st.integers(1, 30_000), st.integers(2, 700))
@example(1, 1, 2)
@example(1, 200, 2)
@example(1, 201, 2)
@example(20_000, 2, 2)
def test_any_size_is_that_of_transformers(height: int, width: int, frames: int) -> None:
    sizes_agree(height, width, frames, (12544, 11760000))


def test_a_picture_200_times_as_long_as_wide_is_taken_and_a_longer_one_is_explained() -> None:
    assert fitted((200, 1), Look(), "Picture 1") == (5600, 28)
    with pytest.raises(EndpointFault, match=r"Picture 3 is 2 × 20000 pixels: one side is more"):
        fitted((20_000, 2), Look(), "Picture 3")


# --- resizing ---------------------------------------------------------------------------------


def resized_alike(pixels: np.ndarray, size: tuple[int, int]) -> None:
    height, width = size
    wanted = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    got = resized(torch.from_numpy(pixels).permute(2, 0, 1), size)
    assert torch.equal(got.permute(1, 2, 0), torch.from_numpy(np.array(wanted)))


@settings(deadline=None, max_examples=200)
@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(1, 120), st.integers(1, 120)),
    st.integers(0, 9),
)
def test_resizing_with_tensors_is_pillows_to_the_bit(
    old: tuple[int, int], new: tuple[int, int], seed: int
) -> None:
    resized_alike(noise(*old, seed), new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((1080, 1920), (1092, 1932)),
        ((2000, 131), (1400, 84)),
        ((900, 1300), (28, 1316)),
        ((1, 640), (84, 616)),
    ],
)
def test_large_and_long_pictures_are_resized_as_by_pillow(
    old: tuple[int, int], new: tuple[int, int]
) -> None:
    resized_alike(noise(*old), new)


# --- patches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("shape", ODD_SHAPES)
def test_patches_are_those_of_the_picture_processor(
    processor: type, shape: tuple[int, int]
) -> None:
    pixels = noise(*shape)
    wanted = processor()(Image.fromarray(pixels), return_tensors="pt")
    sight = sight_of(pixels, Look())
    assert list(sight.grid) == wanted["image_grid_thw"][0].tolist()
    assert torch.equal(patches(sight, Look(), "cpu"), wanted["pixel_values"])


def test_patches_follow_the_checkpoints_own_numbers() -> None:
    look = Look(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), rescale=1 / 128, least=784, most=90_000)
    processor = Glm4vImageProcessorPil(
        size={"shortest_edge": 784, "longest_edge": 90_000},
        image_mean=list(look.mean),
        image_std=list(look.std),
        rescale_factor=look.rescale,
    )
    pixels = noise(345, 210)
    wanted = processor(Image.fromarray(pixels), return_tensors="pt")
    assert torch.equal(patches(sight_of(pixels, look), look, "cpu"), wanted["pixel_values"])


def test_two_frames_share_their_patches_in_the_videos_order() -> None:
    look = Look()
    first, second = noise(56, 84, 1), noise(56, 84, 2)
    shown = tuple(Shown(b"", pixels, (56, 84)) for pixels in (first, second))
    both = patches(Sight(0, (1, 4, 6), "", shown), look, "cpu")
    film = torch.stack([torch.from_numpy(p).permute(2, 0, 1) for p in (first, second)]).float()
    mean, std = torch.tensor(look.mean), torch.tensor(look.std)
    film = (film / 255 - mean[:, None, None]) / std[:, None, None]
    # as Glm4vVideoProcessor.patchify: (t, gh, gw, 2, 2, C, tp, 14, 14)
    cut = film.view(1, 2, 3, 2, 2, 14, 3, 2, 14).permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
    torch.testing.assert_close(both, cut.reshape(24, -1), rtol=0, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("shape", ODD_SHAPES)
def test_a_gpu_makes_the_same_patches_to_the_bit(shape: tuple[int, int]) -> None:
    sight = sight_of(noise(*shape), Look())
    assert torch.equal(patches(sight, Look(), "cuda").cpu(), patches(sight, Look(), "cpu"))


def test_a_picture_that_is_not_at_hand_is_decoded_again() -> None:
    pixels = noise(60, 90)
    image = written(Image.fromarray(pixels))
    sight = sight_of(pixels, Look())
    again = Sight(0, sight.grid, "", (Shown(image, None, sight.frames[0].size),))
    assert torch.equal(patches(sight, Look(), "cpu"), patches(again, Look(), "cpu"))


# --- decoding ---------------------------------------------------------------------------------


def oriented(number: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = number
    return written(Image.fromarray(noise(20, 30)), "JPEG", exif=exif, quality=95)


def animated(form: str) -> bytes:
    frames = [Image.fromarray(noise(24, 32, seed)) for seed in range(3)]
    return written(frames[0], form, save_all=True, append_images=frames[1:], duration=40)


def palette(**options: object) -> bytes:
    return written(Image.fromarray(noise(20, 30)).quantize(16), **options)


@cache
def kinds() -> dict[str, bytes]:
    plain = Image.fromarray(noise(20, 30))
    clear = plain.convert("RGBA")
    clear.putalpha(Image.fromarray(noise(20, 30)[..., 0]))
    deep = Image.fromarray((noise(20, 30)[..., 0].astype(np.uint16) << 8) + 77)
    return {
        "RGBA": written(clear),
        "transparent WebP": written(clear, "WEBP", lossless=True),
        "grey": written(plain.convert("L")),
        "grey with alpha": written(plain.convert("LA")),
        "one bit": written(plain.convert("1")),
        "palette": palette(),
        "palette with one clear colour": palette(transparency=3),
        "palette with clear colours": palette(transparency=bytes(range(16))),
        "16 bits": written(deep),
        "CMYK": written(plain.convert("CMYK"), "JPEG"),
        "animated GIF": animated("GIF"),
        "animated WebP": animated("WEBP"),
        **{f"turned {number}": oriented(number) for number in range(1, 9)},
    }


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_picture_is_decoded_as_transformers_loads_it(kind: str) -> None:
    image = kinds()[kind]
    wanted = np.array(load_image(Image.open(BytesIO(image))))
    assert np.array_equal(decoded(image, "Picture 1"), wanted)


def test_pictures_decoded_together_come_in_their_order() -> None:
    images = [written(Image.fromarray(noise(20 + n, 30, n))) for n in range(20)]
    found = all_decoded([(image, "A picture") for image in images])
    assert all(np.array_equal(pixels, noise(20 + n, 30, n)) for n, pixels in enumerate(found))
    assert all_decoded([]) == []


def test_of_pictures_decoded_together_the_first_bad_one_is_named() -> None:
    good = written(Image.fromarray(noise(20, 30)))
    images = [good, good[:200], b"nothing"]
    with pytest.raises(EndpointFault, match="Picture 2 is damaged"):
        all_decoded([(image, f"Picture {n}") for n, image in enumerate(images, 1)])


def refused(image: bytes) -> str:
    with pytest.raises(EndpointFault) as caught:
        measured(image, "Picture 2")
        decoded(image, "Picture 2")
    assert caught.value.kind == "bad_request"
    return caught.value.message


def test_what_is_no_picture_is_refused_with_its_number() -> None:
    assert refused(b"") == "Picture 2 is empty (0 bytes); attach it again."
    assert refused(b"GIMP" * 99).startswith("Picture 2 is neither PNG, JPEG, WebP nor GIF")
    assert refused(b"%!PS-Adobe-3.0 EPSF-3.0\n").startswith("Picture 2 is neither")


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(kinds())), st.floats(0.01, 0.9))
def test_half_a_picture_is_refused_or_read_but_breaks_nothing(kind: str, part: float) -> None:
    image = kinds()[kind]
    try:
        decoded(image[: int(len(image) * part)], "Picture 2")
    except EndpointFault as fault:
        assert fault.message == "Picture 2 is damaged or cut short; attach it again."


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(sorted(kinds())), st.data())
def test_a_picture_with_a_wrong_byte_breaks_nothing(kind: str, data: st.DataObject) -> None:
    image = bytearray(kinds()[kind])
    image[data.draw(st.integers(0, len(image) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        measured(bytes(image), "Picture 2")
        decoded(bytes(image), "Picture 2")
    except EndpointFault as fault:
        assert fault.message.startswith("Picture 2 ")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    bomb = bytearray(written(Image.new("1", (30, 30))))
    struct.pack_into(">II", bomb, 16, 30_000, 30_000)  # what its head says is enough
    assert "30000 × 30000 pixels, more than can be read safely" in refused(bytes(bomb))
