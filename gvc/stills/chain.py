# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The stills of a chain of GOPs: encoder and decoder of one AV1 stream."""

from collections.abc import Sequence
from functools import partial

from ..bitstream import SequenceHeader
from ..errors import BitstreamError
from ..machine.process import give_back_memory
from ..prior import Planes
from .av1 import COARSEST, LOW_DELAY, REORDERED, StillDecoder, StillEncoder

BOOST = 12  # by how much finer the first still of a chain is, on which all others build (measured)
COARSEST_CHAIN = COARSEST + BOOST  # beyond the coarsest quantiser the first still loses its boost


class StillChain:
    """Gives the stills of a chain one by one.

    quantiser: FINEST..COARSEST_CHAIN, in quarters.
    speed: the AV1 encoder's preset.
    pictures: of all of them, where these are `known`: they are coded at once and may build on later ones. Or else
        none, and each is coded as it comes.
    """

    def __init__(self, header: SequenceHeader, quantiser: float, speed: int, pictures: Sequence[Planes] = ()):
        self.quantiser, self.known = quantiser, bool(pictures)
        self._video, crf = header.format.coded, min(quantiser, COARSEST)
        # Nothing builds on an I2V chain's only still.
        boost = 0 if header.mode == "i2v" else BOOST - (quantiser - crf)
        structure = REORDERED if pictures else LOW_DELAY
        settings = {"boost": boost, "detail": True, "structure": structure}
        self._new_encoder = partial(StillEncoder, self._video.plane_shapes[0], crf, speed, **settings)
        self._pictures, self._given = pictures, []
        self._start(self._new_encoder())

    def sizes(self) -> list[int]:
        """Return the bytes of the stills that are still to come, where they are known."""
        coded = list(self._coming or ())
        self._coming = self._coming and iter(coded)
        return [len(data) for data in coded]

    def code(self, planes: Planes) -> tuple[bytes, Planes]:
        """Return the next still and what decoders make of it; `planes` are its picture. Raises BitstreamError."""
        if not self.known:
            data = self._encoder.encode(planes)
            return data, self._decoder.decode(data)
        try:
            data = next(self._coming)
            decoded = self._decoder.decode(data)
        except (BitstreamError, StopIteration):
            data, decoded = self._code_again()
        self._given.append(data)
        if len(self._given) == len(self._pictures):
            next(self._coming, None)  # the encoder ends when it is asked for more
            self._encoder = None
            give_back_memory()
        return data, decoded

    def _start(self, encoder: StillEncoder) -> None:
        self._encoder, self._decoder = encoder, StillDecoder(self._video)
        self._coming = encoder.encode_all(self._pictures) if self.known else None

    def _code_again(self) -> tuple[bytes, Planes]:
        """Return the next still as one thread codes the chain. Raises BitstreamError.

        On a busy machine the threads of SVT-AV1 4.1 have been seen to get out of step, once in some thousand chains:
        what came did not decode.
        """
        self._encoder.abandon()
        self._start(self._new_encoder(threads=1))
        for given in self._given:
            again = next(self._coming, b"")
            if again != given:
                raise BitstreamError("boundary still", 0, "the encoder does not give the same bytes again")
            self._decoder.decode(again)
        data = next(self._coming, b"")
        return data, self._decoder.decode(data)
