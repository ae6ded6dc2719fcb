# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Golden streams that no encoder would write: they go where its choices don't lead (tests/golden/README.md).

Their pictures show little, but each rule of docs/BITSTREAM.md that they exercise changes them.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

import av
import numpy as np
from clips import moving_clip
from corrections import cell_shapes
from gvc._native import encode_corrections

from gvc.bitstream import GopUnit, SequenceHeader, read_packet, write_gop, write_sequence_header, write_show
from gvc.entropy import RangeEncoder, write_atoms, write_count
from gvc.loop.codebook import Codebook, log2_size_for
from gvc.media import SAMPLE_FORMATS, Packet, Planes, VideoFormat
from gvc.prior import Condition
from gvc.priors import prior_for
from gvc.priors.gp.bands import write_levels
from gvc.priors.gp.mean import FADE, FLAT, HOLD, MOTION
from gvc.stills.av1 import StillEncoder, encode_still

WIDTH, HEIGHT = 51, 37  # odd
SDE_STEPS = 17  # with noise
PLAIN = np.r_[np.tile([20, 19, 18, 17, 16, 15, 14, 0, 0, 0], 5), 0]  # what moves slowly and is coarse, no fill level
NOTHING = np.zeros(51, int)

Atoms = Callable[[int, Codebook, int], tuple[np.ndarray, np.ndarray]]  # (step, codebook, atoms in use) -> the set


def random_atoms(*counts: int, seed: int = 0) -> Atoms:
    """Choose so many atoms in each step, over and over; more than there are count as all."""

    def choose(step: int, _: Codebook, size: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, step])
        count = min(counts[step % len(counts)], size)
        indices = np.sort(rng.choice(size, count, replace=False)).astype(np.uint32)
        return indices, rng.choice(np.array([-1, 1], np.int8), count)

    return choose


def aligned_atoms(_: int, book: Codebook, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose all atoms, each with the sign that makes the sum of the noise larger."""
    sums = book.correlate(np.ones(book.dimension, np.float32))[:size]
    return np.arange(size, dtype=np.uint32), np.where(sums < 0, -1, 1).astype(np.int8)


NO_ATOMS = random_atoms(0)


@dataclass
class Author:
    """Writes a stream, GOP by GOP."""

    header: SequenceHeader
    packets: list[Packet] = field(default_factory=list)
    _index: int = 0
    _levels: np.ndarray | None = None
    _stills: StillEncoder | None = None

    def start(self, header: SequenceHeader | None = None, index: int = 0) -> None:
        """Make the next GOP a key GOP, which starts a chain."""
        self.header, self._index, self._levels = header or self.header, index, None
        self._stills = StillEncoder(self.header.format.coded.plane_shapes[0], 40, 5)

    def still(self, planes: Planes) -> bytes:
        """Code the next still of the chain."""
        return self._stills.encode(planes)

    def gop(self, shown: int, kind: int, levels: np.ndarray, atoms: Atoms = NO_ATOMS, **fields) -> GopUnit:
        """Write a GOP. levels: of its bands, [51] or [3, 51]. fields: of the packet, and of `_side`."""
        key, header = self._levels is None, self.header
        side_fields = {name: fields.pop(name) for name in ("water", "colour", "corrections") if name in fields}
        unit = GopUnit(header=header if key else None, index=self._index, shown=shown, **fields)
        levels = np.broadcast_to(levels, (3, 51)).astype(int)
        condition = self._condition(unit)
        unit = replace(unit, side=self._side(condition, kind, levels, **side_fields))
        size = prior_for(header, "").condition(condition, unit.side).size
        if not size and header.transition != "sde":
            unit = replace(unit, bare=True, stride=1)
        unit = replace(unit, atoms=self._atoms(unit, size, atoms) if size else b"")
        self.add(write_gop(unit), *map(write_show, range(1, shown)))
        self._levels, self._index = levels, (self._index + 1) % 2**32
        return unit

    def add(self, *packets: bytes) -> None:
        """Write packets as they are."""
        self.packets += [Packet(data, len(self.packets) + i, 1) for i, data in enumerate(packets)]

    def _condition(self, unit: GopUnit) -> Condition:
        """Return the shape of a GOP; of known pictures only that there are some matters."""
        video, anchored = self.header.format.coded, self._levels is not None and self.header.mode != "t2v"
        some = tuple(np.zeros(shape, np.uint8) for shape in video.plane_shapes)
        frames = unit.shown + unit.ahead + anchored
        first = some if unit.first or anchored else None
        return Condition(video, frames, first, some if unit.last else None, self._levels if anchored else None)

    def _side(self, condition: Condition, kind, levels, *, water=64, colour=(110, 128, 140), corrections=None) -> bytes:
        encoder = RangeEncoder()
        encoder.encode_bits(kind, 2)
        encoder.encode_bits(water, 10)
        for value in colour if kind == FLAT else ():
            encoder.encode_bits(value, 8)
        if kind == MOTION:
            unknown = condition.frames - 1 - (condition.last is not None)
            encode_corrections(encoder, *condition.format.plane_shapes[0], corrections or [[]] * unknown)
        write_levels(encoder, levels, condition.previous)
        return encoder.finish()

    def _atoms(self, unit: GopUnit, size: int, choose: Atoms) -> bytes:
        header, encoder, count = self.header, RangeEncoder(), 0
        log2 = log2_size_for(size, header.codebook_extra)
        used = 1 << min(log2, header.codebook_limit or log2)
        noisy = SDE_STEPS if header.transition == "sde" else len(range(unit.start, unit.stop, -unit.stride)) + 1
        for step in range(noisy):
            book = Codebook(size, log2, header.seed, unit.index % 2**30, step + 1, 0)
            indices, signs = choose(step, book, used)
            write_count(encoder, len(indices), count)
            write_atoms(encoder, indices, signs, used)
            count = len(indices)
        return encoder.finish()


def header(mode: str, width: int = WIDTH, height: int = HEIGHT, **fields) -> SequenceHeader:
    """Return a sequence header of gp/4."""
    video = VideoFormat(width, height, **fields.pop("video", {}))
    return SequenceHeader(**{"format": video, "mode": mode, "transition": "ancestral", "prior": "gp/4"} | fields)


def scene(count: int, width: int = WIDTH, height: int = HEIGHT, seed: int = 3) -> list[Planes]:
    """Return pictures of something that moves."""
    return [picture.planes for picture in moving_clip(count, width, height, seed=seed)]


def cells(size: tuple[int, int], depth: int, reach: int, seed: int, share: float = 0.6) -> list[np.ndarray]:
    """Return what random cells say on so many levels. share: of cells that say something."""
    rng, levels = np.random.default_rng(seed), []
    for shape in cell_shapes(*size)[:depth]:
        steps = rng.integers(-reach, reach + 1, (*shape, 3))
        levels.append(np.where(rng.random((*shape, 1)) < share, steps, 0))
    return levels


def codebooks() -> Author:
    """Larger codebooks, sets past one group of signs, none, one step; the index wraps around."""
    author, pictures = Author(header("flf2v", codebook_extra=3, x0_cache=1, seed=5)), scene(7)
    author.start(index=2**32 - 1)
    ends = {"first": author.still(pictures[0]), "last": author.still(pictures[3])}
    author.gop(4, MOTION, PLAIN, random_atoms(40, 0, 33, 64, 1), **ends, start=420, stop=300, stride=25)
    last = author.still(pictures[6])
    author.gop(3, FADE, np.roll(PLAIN, 1), random_atoms(70), last=last, start=330, stop=330, stride=1)
    return author


def limit() -> Author:
    """Few atoms of a codebook in use, down to all of these; the transition sde with another grid and the x0-cache."""
    fields = {"codebook_extra": 1, "codebook_limit": 5, "shift": 7, "x0_cache": 1, "transition": "sde"}
    author, pictures = Author(header("flf2v", **fields)), scene(5)
    author.start()
    ends = {"first": author.still(pictures[0]), "last": author.still(pictures[2])}
    author.gop(3, MOTION, PLAIN, random_atoms(3, 31, 32, 16, 0), **ends)
    author.gop(2, MOTION, PLAIN, random_atoms(12, 20), last=author.still(pictures[4]), water=300)
    return author


def refresh() -> Author:
    """Other refresh schedules than every other step, with steps of both transitions."""
    plan, pictures = header("flf2v", x0_cache=2, x0_warmup=2), scene(3)
    author = Author(plan)
    for one in (plan, replace(plan, transition="sde", x0_cache=5, x0_warmup=0)):
        author.start(one)
        ends = {"first": author.still(pictures[0]), "last": author.still(pictures[2])}
        levels = {"start": 400, "stop": 300, "stride": 12} if one is plan else {}
        author.gop(3, MOTION, PLAIN, random_atoms(20, 9), **ends, **levels)
    return author


def hold() -> Author:
    """I2V: a GOP of one picture, the mean that holds still, tails longer than a picture and than the GOP."""
    author, pictures = Author(header("i2v")), scene(6)
    author.start()
    author.gop(1, HOLD, NOTHING, first=author.still(pictures[0]))

    def tail(ramp: int, picture: Planes) -> bytes:
        change = tuple((128 + (plane.astype(int) - 120) // 8).astype(np.uint8) for plane in picture)
        return bytes([ramp]) + encode_still(change, 50, "fast")

    levels = {"start": 400, "stop": 280, "stride": 40}
    author.gop(5, HOLD, PLAIN, random_atoms(9), **levels, tail=tail(3, pictures[2]))
    said = [cells((HEIGHT, WIDTH), depth, 6, depth) for depth in (2, 0, 3, 1)]
    author.gop(4, MOTION, PLAIN, random_atoms(30), **levels, corrections=said, tail=tail(200, pictures[4]))
    author.gop(2, HOLD, NOTHING)
    return author


def corrections() -> Author:
    """Corrections of each depth, then such that fields, weights and vectors are clamped."""
    author, pictures = Author(header("flf2v", 70, 45)), scene(12, 70, 45)
    author.start()
    ends = {"first": author.still(pictures[0]), "last": author.still(pictures[6])}
    said = [cells((45, 70), depth, 9, 10 + depth) for depth in (4, 1, 3, 2, 0)]
    levels = {"start": 380, "stop": 300, "stride": 40}
    author.gop(7, MOTION, PLAIN, random_atoms(12), **ends, **levels, corrections=said)
    said = [cells((45, 70), 4, reach, 20 + reach) for reach in (4095, 40, 600, 4)]
    author.gop(5, MOTION, NOTHING, last=author.still(pictures[11]), corrections=said)
    return author


def pyramid() -> Author:
    """Motion on three levels with odd sides, costs that are equal, pictures as wide as the finest band asks for."""
    width, height = 210, 21
    author, pictures = Author(header("flf2v", width, height)), scene(2, width, height)
    y, x = np.mgrid[:height, :width]
    stripes = (128 + 90 * ((x + y) % 8 < 4)).astype(np.uint8)
    flat = np.full(pictures[0][1].shape, 128, np.uint8)
    author.start()
    ends = {"first": author.still(pictures[0]), "last": author.still(pictures[1])}
    levels = np.where(np.arange(51) % 10 < 4, 28 - 3 * (np.arange(51) % 10), 0)
    author.gop(3, MOTION, levels, random_atoms(20), **ends, start=380, stop=300, stride=20)
    said = [cells((height, width), 5, 3, seed, 0.9) for seed in range(6)]
    author.gop(7, MOTION, NOTHING, last=author.still((stripes, flat, flat)), corrections=said)
    author.gop(2, MOTION, NOTHING, last=author.still((np.roll(stripes, 3, 1), flat, flat)))
    return author


def search() -> Author:
    """Motion whose costs are close to each other, or equal, on one level and on two: noise, and patterns that recur."""
    author = None
    for width, height, grain in ((51, 37, 1), (90, 40, 2)):
        flat = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)
        y, x = np.mgrid[:height, :width] // grain
        rng = np.random.default_rng(width)
        noise = [rng.integers(118, 138, (height, width), np.uint8)[y, x] for _ in range(3)]
        boxes = [np.where(((x + shift) // 8 + y // 8) % 2, 90, 170).astype(np.uint8) for shift in (0, 8, 3)]
        this = header("flf2v", width, height)
        author = author or Author(this)
        author.start(this)
        first, *others = (lossless((luma, flat, flat)) for luma in (*noise, *boxes))
        author.gop(3, MOTION, NOTHING, first=first, last=others[0])
        for still in others[1:]:
            author.gop(2, MOTION, NOTHING, last=still)
    return author


def lossless(planes: Planes) -> bytes:
    """Code a still that stands by itself without loss."""
    height, width = (max(64, side + side % 2) for side in planes[0].shape)
    context = av.CodecContext.create("libsvtav1", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = {"crf": "0", "preset": "5", "svtav1-params": "lossless=1:pred-struct=1:lookahead=0"}
    frame = av.VideoFrame(width, height, "yuv420p")
    for target, plane in zip(frame.planes, planes, strict=True):
        samples = np.frombuffer(target, np.uint8).reshape(target.height, target.line_size)
        padding = [(0, target.height - plane.shape[0]), (0, target.width - plane.shape[1])]
        samples[:, : target.width] = np.pad(plane, padding, "edge")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))


def extremes() -> Author:
    """T2V: many pictures, an overlap with more than the next GOP has, a key GOP after kept pictures, all the clamps."""
    author = Author(header("t2v", 24, 18))
    author.start()
    levels = np.r_[0, 5, 62, 1, 20, 23, 0, 9, 14, 30] + np.arange(5)[:, None]
    levels = np.where(np.arange(10) % 6, levels, 0).ravel().clip(0, 63)
    author.gop(17, FLAT, np.r_[levels, 7], random_atoms(50, 3), start=767, stop=500, stride=128, ahead=9, water=1000)
    loud = np.where(np.arange(51) < 9, 40, 0)
    author.gop(4, FLAT, loud, random_atoms(5), start=200, stop=180, stride=10, ahead=3, water=0)
    author.gop(6, FLAT, PLAIN, random_atoms(5), start=400, stop=300, stride=50, ahead=5, colour=(0, 255, 3))
    author.start(header("t2v", 24, 18, codebook_extra=8), index=77)
    one_band = np.zeros((3, 51), int)
    one_band[0, :5] = 11
    author.gop(1, FLAT, one_band, aligned_atoms, start=256, stop=250, stride=3, water=0, ahead=2)
    author.gop(2, FLAT, one_band, random_atoms(2), start=0, stop=0, stride=9, colour=(235, 16, 240))
    return author


def joined() -> Author:
    """Chains one after the other, whose headers differ in all that they may: mode, size, seed, prior, transition."""
    levels = {"start": 400, "stop": 340, "stride": 20}
    author, pictures = Author(header("flf2v", seed=1)), scene(8)
    for seed in (1, 2):
        author.start(header("flf2v", seed=seed))
        ends = {"first": author.still(pictures[0]), "last": author.still(pictures[1])}
        author.gop(2, MOTION, NOTHING, **ends)
        author.gop(2, MOTION, PLAIN, random_atoms(6), last=author.still(pictures[3]), **levels)
    author.start(header("i2v", 33, 29, seed=3, transition="sde", prior="gp/3"), index=9)
    author.gop(1, HOLD, PLAIN, random_atoms(3), first=author.still(scene(1, 33, 29)[0]))
    author.gop(2, HOLD, PLAIN, random_atoms(3))
    author.start(header("t2v", 33, 29, prompt="none of this is read"), index=1)
    author.gop(2, FLAT, PLAIN, random_atoms(6), **levels)
    return author


FORMATS = (  # sample format, matrix, range, chroma location, height
    *((code, 5, 1, 1, 13) for code in range(1, 7)),
    *((code, 2, 2, 3, 13) for code in range(2, 7)),
    *((3, matrix, 0, 2, 13) for matrix in (0, 1, 4, 7, 9, 77)),
    *((5, 1, 0, location, 13) for location in (0, 2, 4, 6, 9)),
    (6, 2, 2, 4, 719),
    (6, 2, 2, 4, 720),
)


def formats() -> Author:
    """One picture in each of many formats; the 8-bit 4:2:0 picture of those of one size is the same."""
    author = None
    for index, (code, matrix, color_range, location, height) in enumerate(FORMATS):
        width = 11 if height == 13 else 2
        video = {
            "samples": SAMPLE_FORMATS[code - 1],
            "colorspace": matrix,
            "color_range": color_range,
            "chroma_location": location,
        }
        this = header("i2v", width, height, video=video)
        author = author or Author(this)
        author.start(this, index)
        author.gop(1, HOLD, NOTHING, first=author.still(vivid(width, height)))
    return author


def vivid(width: int, height: int) -> Planes:
    """Return a picture with all colours, possible ones and others."""
    y, x = np.mgrid[:height, :width]
    shape = (-(-height // 2), -(-width // 2))
    v, u = np.mgrid[: shape[0], : shape[1]]
    chroma = ((40 * u + 11 * v) % 256, (29 * v + 90 * u) % 256)
    return ((13 * x + 5 * y) % 256).astype(np.uint8), *(plane.astype(np.uint8) for plane in chroma)


def concealed() -> Author:
    """What players do about damage: a chain with a lost GOP, damaged packets, and packets that come twice."""
    author, pictures = Author(header("flf2v")), scene(9)
    author.start()
    ends = {"first": author.still(pictures[0]), "last": author.still(pictures[2])}
    author.gop(3, MOTION, NOTHING, **ends)
    first, lost, start = list(author.packets), author.packets[:0], len(author.packets)
    author.gop(3, FADE, NOTHING, last=author.still(pictures[5]))  # is lost but for what shows it
    lost = author.packets[start + 1 :]
    fading = GopUnit(index=2, shown=4, last=encode_still(pictures[8], 45, "fast"), side=b"", stride=1, bare=True)
    author.packets = [first[0], first[2], first[1], *first[2:], *lost]
    author.add(write_gop(fading), write_show(1), b"\0", write_show(3), b"\0")
    packet = bytearray(author.packets[0].data)
    packet[-20] ^= 1
    author.add(bytes(packet), write_show(1), first[0].data, b"\xff", write_show(1), write_show(2))
    return author


def small() -> Author:
    """Pictures as small as the smallest cell of corrections; coefficients that lie on the edges of bands."""
    this = header("flf2v", 16, 11)
    author, pictures = Author(this), scene(5, 16, 11)
    author.start()
    ends = {"first": author.still(pictures[0]), "last": author.still(pictures[4])}
    said = [cells((11, 16), depth, 9, 30 + depth, 1) for depth in (1, 0, 1)]
    levels = {"start": 380, "stop": 300, "stride": 40}
    author.gop(5, MOTION, PLAIN, random_atoms(4), **ends, **levels, corrections=said)
    author.start(header("t2v", 25, 25), index=1)
    author.gop(1, FLAT, np.r_[np.tile([20, 0], 25), 0], random_atoms(9), **levels)
    return author


TIES = ((70, 18), 16, 14, 0, 10)  # arguments of `striped` for which any other order finds another field


def ties() -> Author:
    """Motion of stripes, whose cost is the same in many directions, on two levels: the order of the search decides."""
    author = Author(header("flf2v", *TIES[0]))
    author.start()
    ends = dict(zip(("first", "last"), map(lossless, striped(*TIES)), strict=True))
    author.gop(3, MOTION, NOTHING, **ends)
    return author


def striped(size: tuple[int, int], period: int, left: int, right: int, middle: int) -> tuple[Planes, Planes]:
    """Return two pictures with diagonal stripes, which move so far on the left and on the right of the middle."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    flat = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)

    def stripes(shift: np.ndarray | int) -> Planes:
        return np.where((x + y + shift) % period < period // 2, 90, 170).astype(np.uint8), flat, flat

    return stripes(0), stripes(np.where(x < middle, left, right))


def damaged() -> Author:
    """Damage of all kinds, and what it leaves of the chain, the header in force and the picture shown last."""
    author, pictures = Author(header("flf2v")), scene(9)

    def coded(*lengths: int) -> list[GopUnit]:
        author.start()
        place, units, first = -1, [], {"first": author.still(pictures[0])}
        for length in lengths:
            place += length
            units.append(author.gop(length, MOTION, NOTHING, last=author.still(pictures[place]), **first))
            first = {}
        del author.packets[-sum(lengths) :]
        return units

    def spoiled(packet: bytes) -> bytes:
        return packet[:-20] + bytes([packet[-20] ^ 1]) + packet[-19:]

    key, second, third = map(write_gop, coded(3, 2, 2))
    author.add(key, write_show(1), write_show(2))
    author.add(spoiled(second), write_show(1), second, write_show(1), third)  # the chain is broken and stays so
    size = len(write_sequence_header(author.header))
    longer = b"\2" + bytes([size | 128, 0]) + key[2:-4]  # the length in two bytes instead of one
    author.add(longer + zlib.crc32(longer).to_bytes(4, "little"), write_show(1), b"", write_show(2), second)
    for this in (header("flf2v", 24, 18), header("flf2v", 24, 18, video={"samples": SAMPLE_FORMATS[1]})):
        author.header, pictures = this, scene(9, 24, 18)
        first, last = coded(2, 2)
        alone = replace(last, last=encode_still(pictures[3], 45, "fast"))
        author.add(spoiled(write_gop(first)), write_show(1))  # nothing is known of it
        author.add(write_gop(replace(first, side=b"\1\1")), write_show(1))  # its header is
        author.add(write_gop(alone), write_show(1), write_gop(first), write_show(1))
    return author


STREAMS = {
    write.__name__: write
    for write in (
        *(codebooks, limit, hold, corrections, pyramid, search, extremes, joined, formats, concealed),
        *(small, ties, damaged, refresh),
    )
}


def stream(name: str) -> tuple[bytes, list[Packet]]:
    """Return (extradata, packets) of one of STREAMS."""
    packets = STREAMS[name]().packets
    return write_sequence_header(read_packet(packets[0].data).header), packets
