# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The boundary stills of a chain of GOPs, which form one AV1 stream."""

from collections.abc import Sequence
from functools import partial

from ..bitstream import SequenceHeader
from ..errors import BitstreamError
from ..machine.process import give_back_memory
from ..media import Planes
from .av1 import ADAPTED, COARSEST, LOW_DELAY, StillDecoder, StillEncoder, Structure
from .resilience import GroupEncoder

BOOST = 12  # steps of crf by which the first still is finer, since all later ones refer to it (measured)
# Quantisers above COARSEST code all stills at COARSEST and reduce the first still's boost by the excess.
COARSEST_CHAIN = COARSEST + BOOST


class StillChain:
    """Codes the stills of a chain one by one.

    quantiser: FINEST..COARSEST_CHAIN, a multiple of 1/4.
    speed: SVT-AV1 preset, 0 (best) to 10.
    pictures: the pictures of all stills, if they are known in advance (`known`): then stills may refer to later ones.
        Default none: each still is coded when `code` gets its picture.
    structure: references between `pictures` and their quantisers, default ADAPTED.
    """

    def __init__(
        self,
        header: SequenceHeader,
        quantiser: float,
        speed: int,
        pictures: Sequence[Planes] = (),
        structure: Structure = ADAPTED,
    ):
        self.quantiser, self.known = quantiser, bool(pictures)
        self._video, crf = header.format.coded, min(quantiser, COARSEST)
        # An I2V chain has a single still, so no other still profits from a boost.
        boost = 0 if not header.mode.has_last else BOOST - (quantiser - crf)
        settings = {"boost": boost, "detail": True, "structure": structure if pictures else LOW_DELAY}
        self._new_encoder = partial(StillEncoder, self._video.plane_shapes[0], crf, speed, **settings)
        if self.known and structure.group:
            self._new_encoder = partial(GroupEncoder, self._new_encoder, structure.group)
        self._pictures, self._count, self._given = pictures, len(pictures), []
        give_back_memory()  # An encoder takes much, so what the work before has left free would add to the peak.
        self._start(self._new_encoder())

    def sizes(self) -> list[int]:
        """Return the sizes in bytes of all stills, before `code` returns the first; [] if they are not `known`.

        All stills are then coded, and the memory of the encoder and of the pictures is free. Raises BitstreamError as
        `code` does.
        """
        coded = [self.code(planes)[0] for planes in self._pictures]
        if coded:
            self._given, self._coming, self._decoder = [], iter(coded), StillDecoder(self._video)
            self._pictures = ()
        return [len(data) for data in coded]

    def code(self, planes: Planes) -> tuple[bytes, Planes]:
        """Return the next still's bytes and its decoded picture.

        planes: the picture to code; not used if all pictures are `known`.
        Raises BitstreamError if the encoder's output does not decode.
        """
        if not self.known:
            data = self._encoder.encode(planes)
            return data, self._decoder.decode(data)
        try:
            data = next(self._coming)
            decoded = self._decoder.decode(data)
        except (BitstreamError, StopIteration):
            data, decoded = self._code_again()
        self._given.append(data)
        if len(self._given) == self._count:
            next(self._coming, None)  # Asking for one still more flushes the encoder.
            if self._encoder:
                self._encoder = None
                give_back_memory()
        return data, decoded

    def _start(self, encoder: StillEncoder | GroupEncoder) -> None:
        self._encoder, self._decoder = encoder, StillDecoder(self._video)
        self._coming = encoder.encode_all(self._pictures) if self.known else None

    def _code_again(self) -> tuple[bytes, Planes]:
        """Code the chain again with a single thread and return the next still. Raises BitstreamError.

        On a busy machine the threads of SVT-AV1 4.1 get out of step in about one of a thousand chains, and the output
        does not decode.
        """
        self._encoder.abandon()
        self._start(self._new_encoder(threads=1))
        for given in self._given:
            again = next(self._coming, b"")
            if again != given:
                raise BitstreamError("still", 0, "the encoder did not repeat the same bytes; encode again")
            self._decoder.decode(again)
        data = next(self._coming, b"")
        return data, self._decoder.decode(data)
