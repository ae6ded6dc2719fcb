// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and the sign diagonals made
// from it. Normative: encoder and decoder must make the same bits.
//
// Bit i of diagonal d of a codebook, 0 <= i < N:
//     word    = i >> 5
//     counter = (word >> 2, block, step, gop << 2 | d)     four uint32, least significant word first
//     key     = (seed, 0x47564331)                          two uint32
//     bit     = philox4x32_10(counter, key)[word & 3] >> (i & 31) & 1,   1 means -1 and 0 means +1
// Diagonals: 0 is D1, 1 is D2, 2 is the dense +-1 vector from which the initial noise is made.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace gvc {

/// The identity of a codebook: the stream's seed and the place of the block in the stream.
struct BlockKey {
    uint32_t seed, gop, step, block; ///< gop < 2^30
};

enum Diagonal : uint32_t { kFirst = 0, kSecond = 1, kDense = 2 };

inline std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> counter, uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
        const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
        counter = {uint32_t(product1 >> 32) ^ counter[1] ^ key0, uint32_t(product1),
                   uint32_t(product0 >> 32) ^ counter[3] ^ key1, uint32_t(product0)};
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    return counter;
}

/// The first `count` sign bits of a diagonal, 32 to a word.
inline std::vector<uint32_t> sign_words(const BlockKey &key, Diagonal diagonal, size_t count) {
    std::vector<uint32_t> words((count + 127) / 128 * 4);
    for (size_t i = 0; i < words.size(); i += 4) {
        const auto lanes =
            philox4x32_10({uint32_t(i >> 2), key.block, key.step, key.gop << 2 | diagonal}, key.seed, 0x47564331);
        for (size_t lane = 0; lane < 4; ++lane)
            words[i + lane] = lanes[lane];
    }
    return words;
}

} // namespace gvc
