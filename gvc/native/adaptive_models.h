// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Adaptive models of symbols and of small signed integers. Normative (docs/BITSTREAM.md, sections 10.2 and 10.5).
#pragma once

#include "range_coder.h"

namespace gvc {

/// Frequencies of the symbols 0..size-1, updated with every symbol that is coded.
class AdaptiveModel {
  public:
    /// odds: initial frequencies; if there are none, 1 for each symbol.
    explicit AdaptiveModel(int size, const std::vector<uint32_t> &odds = {})
        : weights_(odds.empty() ? std::vector<uint32_t>(std::max(size, 0), 1) : odds) {
        if (size < 1 || size > kMostSymbols || weights_.size() != size_t(size) ||
            std::any_of(weights_.begin(), weights_.end(), [](uint32_t w) { return w < 1 || w > kLimit; }))
            throw std::invalid_argument("a model must have 1..1024 symbols with weights of 1..8192");
        add_up();
    }

    void write(RangeEncoder &encoder, int symbol) {
        if (symbol < 0 || size_t(symbol) >= weights_.size())
            throw std::invalid_argument("the model does not have this symbol");
        uint32_t start = 0;
        for (int i = 0; i < symbol; ++i)
            start += weights_[i];
        encoder.encode(start, weights_[symbol], total_);
        learn(symbol);
    }

    int read(RangeDecoder &decoder) {
        const uint64_t value = decoder.decode(total_);
        uint32_t start = 0;
        int symbol = 0;
        while (value >= start + weights_[symbol])
            start += weights_[symbol++];
        decoder.consume(start, weights_[symbol], total_);
        learn(symbol);
        return symbol;
    }

  private:
    static constexpr int kMostSymbols = 1024;
    static constexpr uint32_t kStep = 32, kLimit = 1 << 13;

    void learn(int symbol) {
        weights_[symbol] += kStep;
        total_ += kStep;
        if (total_ > kLimit) {
            for (uint32_t &weight : weights_)
                weight = (weight + 1) / 2;
            add_up();
        }
    }

    void add_up() {
        total_ = 0;
        for (const uint32_t weight : weights_)
            total_ += weight;
    }

    std::vector<uint32_t> weights_;
    uint32_t total_ = 0;
};

/// Adaptive code for signed integers near zero: a symbol for each of -reach..reach, and an escape for all others.
///
/// The escape is followed by the excess e = |value| - reach, 0 < e < 2^31: its bit length minus one (5 bits), the bits
/// below its leading one, and the sign bit (1 = negative).
class DeltaModel {
  public:
    explicit DeltaModel(int reach) : reach_(checked(reach)), symbols_(2 * reach + 2) {}

    void write_delta(RangeEncoder &encoder, int64_t value) {
        const int64_t excess = value < -kMost || value > kMost ? kMost : (value < 0 ? -value : value) - reach_;
        if (excess <= 0)
            return symbols_.write(encoder, int(value + reach_));
        if (excess >= int64_t{1} << 31)
            throw std::invalid_argument(std::to_string(value) + " is too large to code");
        int below = 0; // number of bits below the leading one
        while (excess >> (below + 1))
            ++below;
        symbols_.write(encoder, int(2 * reach_ + 1));
        encoder.encode_bits(below, 5);
        encoder.encode_bits(excess - (int64_t{1} << below), below);
        encoder.encode_bits(value < 0, 1);
    }

    int64_t read_delta(RangeDecoder &decoder) {
        const int symbol = symbols_.read(decoder);
        if (symbol <= 2 * reach_)
            return symbol - reach_;
        const int below = int(decoder.decode_bits(5));
        const int64_t magnitude = reach_ + (int64_t{1} << below) + int64_t(decoder.decode_bits(below));
        return decoder.decode_bits(1) ? -magnitude : magnitude;
    }

  private:
    static constexpr int64_t kMost = int64_t{1} << 32;

    static int checked(int reach) {
        if (reach < 0 || reach > 255)
            throw std::invalid_argument("the reach must be 0..255");
        return reach;
    }

    int64_t reach_;
    AdaptiveModel symbols_;
};

} // namespace gvc
