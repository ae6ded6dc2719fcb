// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Range coder with a 64-bit interval, output by bytes and carries; and the coding of sets of indices. Normative.
//
// The coder's interval is [low, low + range), low taken modulo 2^64 with carries into the bytes already written.
// - Start: low = 0, range = 2^64 - 1; the decoder's `code` is the first 8 bytes, big-endian.
// - Symbol (start, frequency, total): unit = range / total (rounded down); low += unit * start;
//   range = unit * frequency. Decoder: value = code / unit, corrupt if value >= total; code -= unit * start.
// - n bits: symbol (value, 1, 2^n) for n <= 32. A longer field is coded in two parts: the bits above the lowest 32,
// then
//   the lowest 32.
// - Binary decision whose one has the probability p / 2^32: split = range - (range >> 32) * p.
//   Zero: range = split. One: low += split, range -= split. Decoder: one if code >= split, then code -= split.
// - Renormalisation after each symbol, bit field or decision: while range < 2^56, write the top byte of low, low <<= 8,
//   range <<= 8; the decoder shifts the next byte into code.
// - End: one more byte, the top byte of low + 2^56 - 1 (with its carry), left out if it is zero.
// The decoder reads zeros beyond the end, at most 8 of them. Any bytes decode to some values or are refused as corrupt.
//
// A set of M indices below N is coded as N binary decisions, one for each index: whether it is in the set. With `ones`
// members and `places` indices left, p = (ones << 32) / places (rounded down). Coding stops when ones = 0 or
// ones = places.
#pragma once

#include "bindings.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gvc {

namespace py = pybind11;

constexpr uint64_t kRenewBelow = uint64_t{1} << 56;
constexpr uint64_t kMaxTotal = uint64_t{1} << 32;
constexpr uint64_t kMaxPlaces = uint64_t{1} << 26;
constexpr size_t kZerosPastEnd = 8;

/// Thrown for bytes that no encoder writes; Python gets gvc.errors.BitstreamError.
struct CorruptData : std::runtime_error {
    CorruptData(const std::string &element, size_t offset, const std::string &reason)
        : std::runtime_error(reason), element(element), offset(offset) {}
    std::string element;
    size_t offset;
};

inline void check_total(uint64_t total) {
    if (total == 0 || total > kMaxTotal)
        throw std::invalid_argument("the total must be 1..2^32");
}

inline void check_symbol(uint64_t start, uint64_t frequency, uint64_t total) {
    check_total(total);
    if (frequency == 0 || start >= total || frequency > total - start)
        throw std::invalid_argument("a symbol must have a frequency > 0 and lie within the total");
}

inline void check_bit_count(int count) {
    if (count < 0 || count > 64)
        throw std::invalid_argument("the bit count must be 0..64");
}

inline void check_set(uint64_t ones, uint64_t places) {
    if (places > kMaxPlaces || ones > places)
        throw std::invalid_argument("a set must have at most as many members as places, and at most 2^26 places");
}

/// Probability that the next place holds a one, in units of 2^-32, rounded down; 0 < ones < places <= 2^26.
///
/// Many processors divide floats several times faster than integers. Dividend and divisor are exact as doubles, and the
/// rounded quotient is never below the whole number wanted and at most 1 above it.
inline uint64_t share_of_ones(uint64_t ones, uint64_t places) {
    const uint64_t dividend = ones << 32;
    const auto share = uint64_t(int64_t(double(int64_t(dividend)) / double(int64_t(places))));
    return share - (share * places > dividend);
}

class RangeEncoder {
  public:
    void encode(uint64_t start, uint64_t frequency, uint64_t total) {
        check_symbol(start, frequency, total);
        require_open();
        narrow(start, frequency, total);
    }

    void encode_uniform(uint64_t value, uint64_t total) {
        encode(value, 1, total);
    }

    void encode_bits(uint64_t value, int count) {
        check_bit_count(count);
        require_open();
        if (count < 64 && value >> count)
            throw std::invalid_argument("the value needs more bits than given");
        if (count > 32) {
            narrow(value >> 32, 1, uint64_t{1} << (count - 32));
            count = 32;
        }
        if (count > 0)
            narrow(value & (~uint64_t{0} >> (64 - count)), 1, uint64_t{1} << count);
    }

    void encode_subset(const Array<uint32_t> &indices, uint64_t places) {
        const uint32_t *index = indices.data();
        uint64_t ones = indices.size();
        check_set(ones, places);
        require_open();
        for (uint64_t i = 0; i < ones; ++i)
            if (index[i] >= places || (i && index[i] <= index[i - 1]))
                throw std::invalid_argument("set members must rise and be below the number of places");
        const py::gil_scoped_release release;
        for (uint64_t place = 0; ones > 0 && ones < places - place; ++place) {
            const uint64_t split = range_ - (range_ >> 32) * share_of_ones(ones, places - place);
            if (*index == place) {
                add(split);
                range_ -= split;
                ++index, --ones;
            } else {
                range_ = split;
            }
            renew();
        }
    }

    void encode_signs(const Array<int8_t> &signs) {
        const int8_t *sign = signs.data();
        const size_t count = signs.size();
        for (size_t i = 0; i < count; ++i)
            if (sign[i] != 1 && sign[i] != -1)
                throw std::invalid_argument("signs must be +1 or -1");
        for (size_t i = 0; i < count; i += 32) {
            const int bits = int(std::min<size_t>(32, count - i));
            uint64_t value = 0;
            for (int bit = 0; bit < bits; ++bit)
                value |= uint64_t{sign[i + bit] < 0} << bit;
            encode_bits(value, bits);
        }
    }

    py::bytes finish() {
        require_open();
        finished_ = true;
        const uint64_t top = low_ + (kRenewBelow - 1);
        if (top < low_)
            carry();
        if (top >> 56)
            bytes_.push_back(uint8_t(top >> 56));
        return py::bytes(reinterpret_cast<const char *>(bytes_.data()), bytes_.size());
    }

    /// Number of bits written so far, to within 8.
    size_t bit_count() const {
        return 8 * bytes_.size();
    }

  private:
    void require_open() const {
        if (finished_)
            throw std::invalid_argument("the range coder is finished");
    }

    void narrow(uint64_t start, uint64_t frequency, uint64_t total) {
        const uint64_t unit = range_ / total;
        add(unit * start);
        range_ = unit * frequency;
        renew();
    }

    void add(uint64_t amount) {
        low_ += amount;
        if (low_ < amount)
            carry();
    }

    void carry() { // never passes the first byte, because the interval stays below 1
        for (size_t i = bytes_.size(); i-- > 0 && ++bytes_[i] == 0;) {
        }
    }

    void renew() {
        while (range_ < kRenewBelow) {
            bytes_.push_back(uint8_t(low_ >> 56));
            low_ <<= 8;
            range_ <<= 8;
        }
    }

    uint64_t low_ = 0, range_ = ~uint64_t{0};
    std::vector<uint8_t> bytes_;
    bool finished_ = false;
};

class RangeDecoder {
  public:
    RangeDecoder(const py::bytes &data, std::string element) : data_(data), element_(std::move(element)) {
        for (int i = 0; i < 8; ++i)
            code_ = code_ << 8 | next_byte();
        if (code_ == range_)
            throw CorruptData(element_, 0, "no symbol starts with these bytes");
    }

    uint64_t decode(uint64_t total) const {
        check_total(total);
        const uint64_t value = code_ / (range_ / total);
        if (value >= total)
            throw CorruptData(element_, position_, "the coded value lies outside its range");
        return value;
    }

    void consume(uint64_t start, uint64_t frequency, uint64_t total) {
        check_symbol(start, frequency, total);
        const uint64_t unit = range_ / total;
        if (code_ < unit * start || code_ - unit * start >= unit * frequency)
            throw std::invalid_argument("the symbol is not the one that decode() found");
        code_ -= unit * start;
        range_ = unit * frequency;
        renew();
    }

    uint64_t decode_uniform(uint64_t total) {
        const uint64_t value = decode(total);
        consume(value, 1, total);
        return value;
    }

    uint64_t decode_bits(int count) {
        check_bit_count(count);
        uint64_t value = 0;
        if (count > 32) {
            value = decode_uniform(uint64_t{1} << (count - 32)) << 32;
            count = 32;
        }
        return count > 0 ? value | decode_uniform(uint64_t{1} << count) : value;
    }

    py::array_t<uint32_t> decode_subset(uint64_t ones, uint64_t places) {
        check_set(ones, places);
        py::array_t<uint32_t> indices(ones);
        uint32_t *index = indices.mutable_data();
        const py::gil_scoped_release release;
        uint64_t place = 0;
        for (; ones > 0 && ones < places - place; ++place) {
            const uint64_t split = range_ - (range_ >> 32) * share_of_ones(ones, places - place);
            if (code_ >= split) {
                code_ -= split;
                range_ -= split;
                *index++ = uint32_t(place);
                --ones;
            } else {
                range_ = split;
            }
            renew();
        }
        for (; ones > 0; --ones)
            *index++ = uint32_t(place++);
        return indices;
    }

    py::array_t<int8_t> decode_signs(size_t count) {
        if (count > kMaxPlaces)
            throw std::invalid_argument("at most 2^26 signs");
        py::array_t<int8_t> signs(count);
        int8_t *sign = signs.mutable_data();
        for (size_t i = 0; i < count; i += 32) {
            const int bits = int(std::min<size_t>(32, count - i));
            const uint64_t value = decode_bits(bits);
            for (int bit = 0; bit < bits; ++bit)
                sign[i + bit] = (value >> bit & 1) ? -1 : 1;
        }
        return signs;
    }

    /// Whether zeros were read beyond the end. Until then all values are those that were coded, even if the end is
    /// missing.
    bool is_past_end() const {
        return position_ > data_.size();
    }

    /// Throws if bytes follow the coded values.
    void finish() const {
        const size_t needed =
            position_ - 7; // the decoder reads 8 bytes ahead, and the encoder writes at most one of them at the end
        if (needed < data_.size())
            throw CorruptData(element_, needed, "unused bytes follow the coded values");
    }

  private:
    uint8_t next_byte() {
        if (position_ >= data_.size() + kZerosPastEnd)
            throw CorruptData(element_, data_.size(), "the coded values end early");
        const uint8_t byte = position_ < data_.size() ? uint8_t(data_[position_]) : 0;
        ++position_;
        return byte;
    }

    void renew() {
        while (range_ < kRenewBelow) {
            code_ = code_ << 8 | next_byte();
            range_ <<= 8;
        }
    }

    std::string data_, element_;
    size_t position_ = 0;
    uint64_t code_ = 0, range_ = ~uint64_t{0};
};

} // namespace gvc
