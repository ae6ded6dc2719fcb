# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Which pictures an AV1 decoder holds as references, and which of them are right where units are missing.

The units of a chain are numbered from 0 in the order of display, as their pictures are. A unit may hold frames of later
pictures, which later units refer to or just show. What a missing unit would have put into which slot is not known. So
after it a slot may hold another picture than the stream means, until a unit that was received fills it again. Yet the
picture in it is still the picture that it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .headers import FrameHeader


@dataclass(frozen=True)
class Slot:
    """A picture that the decoder holds.

    number: number of the picture in the chain.
    right: whether it is what the encoder had; None = not known.
    key: whether it is a key frame.
    current: whether the stream means this picture when it refers to the slot.
    """

    number: int
    right: bool | None
    key: bool = False
    current: bool = True


class References:
    """The references of a chain's decoder."""

    def __init__(self) -> None:
        self._slots: dict[int, Slot] = {}

    def miss(self) -> None:
        """Note that units are missing before the next one."""
        self._slots = {place: replace(slot, current=False) for place, slot in self._slots.items()}

    def judge(self, frames: Sequence[FrameHeader], number: int, orders: int) -> bool | None:
        """Return whether the picture of a unit will be right; None = not known.

        frames: headers of the unit's frames.
        number: number of the unit.
        orders: number of different order hints.
        """
        return self._after(frames, number, orders, None)[0]

    def take(self, frames: Sequence[FrameHeader], number: int, orders: int, right: bool) -> None:
        """Note that a unit was decoded, and whether its picture is right, which decides about all that is not known.

        Where it is not although all that it refers to is, the unit itself is damaged, and none of its frames is right.
        """
        damaged = not right and self.judge(frames, number, orders) is True
        self._slots = self._after(frames, number, orders, right, damaged)[1]

    def holding(self, number: int) -> int | None:
        """Return the slot of a picture that is right and can be shown again; None if there is none."""
        return next((place for place, slot in self._usable() if slot.number == number), None)

    def later(self, number: int) -> int | None:
        """Return the number of the first picture after `number` that is right and can be shown; None without one."""
        return min((slot.number for _, slot in self._usable() if slot.number > number), default=None)

    def _usable(self) -> list[tuple[int, Slot]]:
        # A key frame that is shown again replaces all references.
        return [(place, slot) for place, slot in self._slots.items() if slot.right and not slot.key]

    def _after(
        self, frames: Sequence[FrameHeader], number: int, orders: int, verdict: bool | None, damaged: bool = False
    ) -> tuple[bool | None, dict[int, Slot]]:
        """Return (whether the unit's picture is right, slots after it).

        verdict: what is taken where it is not known.
        damaged: whether no frame of the unit is right, default not.
        """
        slots, shown = dict(self._slots), False
        at = next((frame.order for frame in frames if frame.shown and frame.existing is None), None)
        for frame in frames:
            if frame.existing is not None:
                slot = slots.get(frame.existing)
                shown = slot is not None and slot.number == number and _first_known(slot.right, verdict)
                if slot and damaged:
                    slots[frame.existing] = replace(slot, right=False)
                elif shown:
                    slots[frame.existing] = replace(slot, right=True, current=True)
                continue
            held = [slots.get(place) for place in frame.references]
            known = all(slot and slot.right and slot.current for slot in held)
            right = not damaged and (known or verdict)
            later = 0 if at is None else (frame.order - at + orders // 2) % orders - orders // 2
            slots |= dict.fromkeys(frame.refreshed, Slot(number + later, right, frame.key))
            if frame.shown:
                shown = right
        return shown, slots


def _first_known(right: bool | None, verdict: bool | None) -> bool | None:
    return verdict if right is None else right
