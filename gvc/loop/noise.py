# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The noise of the loop: the common part of both sources, and the decoder's source, which replays coded atoms.

Each block of the latent has its own codebook at each step. Its noise is a sum of M signed atoms, or the codebook's
dense noise if M = 0. So z is white and of unit variance in both cases.

The entropy coder is serial and runs in a thread of its own, in parallel with the network. In the encoder it runs behind
the loop; in the decoder it runs ahead of the loop and also makes the noise. Nothing else in a step waits for an
accelerator, except for an encoder on a budget, which must know the bits of a step before it goes on.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from ..bitstream import SequenceHeader
from ..entropy import RangeDecoder, read_atoms, read_count
from ..errors import BitstreamError
from ..machine.parallel import inheriting
from ..machine.stages import stage
from ..prior import Array, ConditionedPrior
from .codebooks import Atoms, Codebooks, codebooks_for

FILL = 2**31  # number that keys the noise of `fill`; steps have lower ones


class BlockNoise:
    """Common part of both sources: the codebooks of the blocks, and the thread of the entropy coder.

    A source is a context manager, which ends its thread at the end of the `with` block.

    prior: conditioned prior of the GOP.
    header: sequence header of the stream.
    gop: index of the GOP.
    """

    exhausted = False

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int):
        self._low_steps = header.lowres_steps
        self._whole = self._low = codebooks_for(prior, header, gop)
        if self._low_steps:
            self._low = codebooks_for(prior.low_band(header.lowres_size), header, gop)
        self._counts: list[int] = []  # Counts of the step before, which predict the next ones.
        self._coding = ThreadPoolExecutor(1, "gvc-atoms")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._coding.shutdown(cancel_futures=True)

    @stage("initial_noise")
    def initial(self) -> Array:
        """Return x_1, white noise [size], made of the codebooks of step 0."""
        return self._codebooks(0).noise(0)

    @stage("initial_noise")
    def fill(self) -> Array:
        """Return white noise [size] of the whole latent, for what steps at low resolution leave open."""
        return self._whole.noise(FILL)

    def _codebooks(self, step: int) -> Codebooks:
        """Return the codebooks of a step: those of the low band or of the whole latent."""
        return self._low if step < self._low_steps else self._whole

    def _begin(self, step: int) -> Codebooks:
        """Return the codebooks of a step. With the first step of each resolution, counts begin at 0."""
        codebooks = self._codebooks(step)
        if step in (0, self._low_steps):
            self._counts = [0] * len(codebooks.blocks)
        return codebooks


class ReplayNoise(BlockNoise):
    """The decoder's source: it reads the atoms of each step from the bitstream.

    atoms: coded atoms of all steps.
    steps: number of steps with noise.
    cut: whether the end of `atoms` is missing. Then it is `exhausted` before the first step whose atoms are not all
        there. Default: not.
    """

    def __init__(
        self, prior: ConditionedPrior, header: SequenceHeader, gop: int, atoms: bytes, steps: int, *, cut: bool = False
    ):
        super().__init__(prior, header, gop)
        self._decoder, self._steps, self._cut = RangeDecoder(atoms, "atoms"), steps, cut
        self._next = self._read_ahead(0)

    @property
    def exhausted(self) -> bool:
        """Whether the loop should end here, because the atoms of the next step are missing."""
        return self._cut and self._next is not None and self._next.exception() is not None

    @stage("atoms")
    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) with the noise in the stream. Raises BitstreamError."""
        z = self._next.result()
        self._next = self._read_ahead(step + 1)
        return s, z

    @stage("atoms")
    def finish(self) -> None:
        """Raise BitstreamError if bytes are left over after the last step."""
        if not self._cut:
            self._decoder.finish()

    def whole(self) -> Array:
        """Return white noise [size] of the whole latent, in the place of x_1, where no step can be taken."""
        return self.fill() if self._low_steps else self.initial()

    def _read_ahead(self, step: int) -> Future | None:
        return self._coding.submit(inheriting(self._read), step) if step < self._steps else None

    def _read(self, step: int) -> Array:
        codebooks = self._begin(step)
        atoms = [self._read_atoms(i, n) for i, n in enumerate(codebooks.sizes)]
        if self._cut and self._decoder.is_past_end:
            raise BitstreamError("atoms", 0, "the atoms of a step are cut off")
        return codebooks.noise(step + 1, atoms)

    def _read_atoms(self, block: int, size: int) -> Atoms:
        self._counts[block] = count = read_count(self._decoder, self._counts[block])
        if count > size:
            raise BitstreamError("count", 0, f"{count} are more than the {size} of the codebook")
        return read_atoms(self._decoder, count, size)
