// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// What vectors of all instruction sets have in common; included by each_instruction_set.h.

constexpr int kMostLanes = 16;

/// The smallest multiple of kLanes that is not below a count.
constexpr int padded(int count) {
    return (count + kLanes - 1) / kLanes * kLanes;
}

/// Loads kLanes values, or the bits of as many bytes of values of another type.
template <class Value> GVC_TARGET GVC_INLINE Ints load(const Value *from) {
    Ints result;
    std::memcpy(&result, from, sizeof result);
    return result;
}

template <class Value> GVC_TARGET GVC_INLINE void store(Value *to, Ints values) {
    std::memcpy(to, &values, sizeof values);
}

/// The numbers first, first + 1, ..
GVC_TARGET GVC_INLINE Ints count_from(int first) {
    constexpr int32_t numbers[kMostLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return first + load(numbers);
}

GVC_TARGET GVC_INLINE Ints clamped(Ints value, int least, int most) {
    const Ints lower = Ints{} + least, upper = Ints{} + most;
    value = value < lower ? lower : value;
    return value > upper ? upper : value;
}
