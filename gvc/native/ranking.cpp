// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// The choice of the atoms to send, by falling magnitude of their correlation. Only the part of the order that is needed
// is computed.
#include "bindings.h"
#include "multiversion.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr size_t kScan = 64; ///< number of values that are tested together in the search for large ones

/// The bits of a float without its sign, which grow with its magnitude.
GVC_INLINE uint32_t magnitude_bits(const float *value) {
    uint32_t bits;
    std::memcpy(&bits, value, sizeof(bits));
    return bits & 0x7FFFFFFF;
}

/// Whether any of kScan values has magnitude bits of at least `threshold`.
GVC_MULTIVERSION bool any_at_least(const float *values, uint32_t threshold) {
    uint32_t found = 0;
    for (size_t i = 0; i < kScan; ++i)
        found |= magnitude_bits(values + i) >= threshold;
    return found;
}

/// Order of the atoms by falling magnitude of their correlation; atoms with equal magnitudes by rising index.
///
/// Magnitudes are counted in bins by the upper half of their float bits. The counts give the place of each bin in the
/// order, so the order can be computed bin by bin from the largest magnitudes down. They also tell roughly how many
/// atoms are needed.
class Ranking {
  public:
    explicit Ranking(Array<float> correlations)
        : array_(std::move(correlations)), values_(array_.data()), size_(array_.size()), places_(kBins + 1, 0),
          next_bin_(kBins), best_reach_(1, 0.0), sum_(0.0) {
        if (size_ == 0 || size_ > size_t{1} << 31)
            throw std::invalid_argument("ranking needs 1..2^31 correlations");
        const py::gil_scoped_release release;
        for (size_t i = 0; i < size_; ++i)
            ++places_[magnitude_bits(values_ + i) >> kBinShift];
        for (size_t bin = kFirstNotFinite; bin < kBins; ++bin)
            if (places_[bin])
                throw std::invalid_argument("the correlations must be finite numbers");
        uint32_t place = 0; // the loop turns each bin's count into the place of its first atom, largest bin first
        for (size_t bin = kBins; bin-- > 0;) {
            const uint32_t count = places_[bin];
            places_[bin] = place;
            place += count;
        }
    }

    size_t size() const {
        return size_;
    }

    /// The smallest number of atoms whose reach is at least `want`; if there is none, the number with the largest
    /// reach.
    size_t count_for(double want) {
        if (std::isnan(want))
            throw std::invalid_argument("the wanted projection must be a number");
        while (best_reach_.back() < want && ordered() < size_)
            extend(std::max(enough_for(want), ordered() + 1));
        // best_reach_ never falls, so the first place with its last value is the smallest count with the largest reach.
        const double target = std::min(want, best_reach_.back());
        const auto found = std::lower_bound(best_reach_.begin() + 1, best_reach_.end(), target);
        return std::min<size_t>(found - best_reach_.begin(), size_);
    }

    /// Sum of the `count` largest magnitudes divided by sqrt(count): the length of the projection of z on the residual.
    double reach(size_t count) {
        require(count);
        return count ? sums_[count - 1] / std::sqrt(double(count)) : 0.0;
    }

    py::tuple take(size_t count) {
        require(count);
        py::array_t<uint32_t> indices(count);
        py::array_t<int8_t> signs(count);
        uint32_t *index = indices.mutable_data();
        int8_t *sign = signs.mutable_data();
        {
            const py::gil_scoped_release release;
            std::vector<uint64_t> chosen((size_ + 63) / 64, 0);
            for (size_t i = 0; i < count; ++i)
                chosen[index_of(order_[i]) >> 6] |= uint64_t{1} << (index_of(order_[i]) & 63);
            for (size_t word = 0; word < chosen.size(); ++word)
                for (uint64_t left = chosen[word]; left; left &= left - 1) {
                    *index = uint32_t(word << 6 | __builtin_ctzll(left));
                    *sign++ = values_[*index++] < 0 ? -1 : 1;
                }
        }
        return py::make_tuple(indices, signs);
    }

  private:
    // A bin has the 8 bits of the exponent and the upper 8 of the mantissa.
    static constexpr size_t kBins = size_t{1} << 16, kFirstNotFinite = 0xFF00;
    static constexpr int kBinShift = 15;

    /// A number for sorting: atoms that come earlier in the order have smaller keys.
    uint64_t key_of(size_t index) const {
        return uint64_t{~magnitude_bits(values_ + index)} << 32 | index;
    }

    static uint32_t index_of(uint64_t key) {
        return uint32_t(key);
    }

    /// The smallest magnitude of a bin.
    static double floor_of(size_t bin) {
        const uint32_t bits = uint32_t(bin << kBinShift);
        float value;
        std::memcpy(&value, &bits, sizeof(value));
        return value;
    }

    size_t ordered() const {
        return order_.size();
    }

    /// The number of atoms in bins >= `bin`.
    size_t place_after(size_t bin) const {
        return bin == 0 ? size_ : places_[bin - 1];
    }

    /// A number of atoms, close to the smallest, that reaches `want` apart from rounding; all atoms if none is sure to.
    size_t enough_for(double want) const {
        double sum = sum_;
        for (size_t bin = next_bin_; bin-- > 0;) {
            const size_t count = place_after(bin), here = count - places_[bin];
            if (here == 0) // bins of values that are not finite are empty, too
                continue;
            sum += double(here) * floor_of(bin);
            if (sum >= want * std::sqrt(double(count)))
                return count;
        }
        return size_;
    }

    void require(size_t count) {
        if (count > size_)
            throw std::invalid_argument("the codebook has only " + std::to_string(size_) + " atoms");
        if (count > ordered())
            extend(count);
    }

    /// Computes the order of at least the first `count` atoms.
    void extend(size_t count) {
        const size_t first = ordered(), end_bin = next_bin_;
        while (next_bin_ > 0 && place_after(next_bin_) < std::min(count, size_))
            --next_bin_;
        const size_t last = place_after(next_bin_);
        order_.resize(last);
        std::vector<uint32_t> place(places_.begin() + next_bin_, places_.begin() + end_bin);
        collect(uint32_t(next_bin_ << kBinShift), place);
        for (size_t bin = next_bin_; bin < end_bin; ++bin)
            std::sort(order_.begin() + places_[bin], order_.begin() + place[bin - next_bin_]);
        sums_.reserve(last);
        best_reach_.reserve(last + 1);
        for (size_t i = first; i < last; ++i) {
            sum_ += std::fabs(double(values_[index_of(order_[i])]));
            sums_.push_back(sum_);
            best_reach_.push_back(std::max(best_reach_.back(), sum_ / std::sqrt(double(i + 1))));
        }
    }

    /// Writes the keys of all atoms in bins `next_bin_` + k at the places place[k], which move on with each atom.
    void collect(uint32_t threshold, std::vector<uint32_t> &place) {
        for (size_t start = 0; start < size_; start += kScan) {
            const size_t end = std::min(start + kScan, size_);
            if (end - start == kScan && !any_at_least(values_ + start, threshold))
                continue;
            for (size_t i = start; i < end; ++i) {
                const size_t offset =
                    (magnitude_bits(values_ + i) >> kBinShift) - next_bin_; // wraps to a huge number for smaller bins
                if (offset < place.size())
                    order_[place[offset]++] = key_of(i);
            }
        }
    }

    Array<float> array_;
    const float *values_;
    size_t size_;
    std::vector<uint32_t> places_;   ///< place in the order of each bin's first atom
    size_t next_bin_;                ///< lowest bin whose atoms are in order_
    std::vector<uint64_t> order_;    ///< keys of the first atoms of the order
    std::vector<double> sums_;       ///< sums_[i] is the sum of the i + 1 largest magnitudes
    std::vector<double> best_reach_; ///< best_reach_[i] is the largest reach of any count <= i
    double sum_;
};

} // namespace

void bind_ranking(py::module_ &module) {
    using Release = py::call_guard<py::gil_scoped_release>;
    py::class_<Ranking>(module, "Ranking",
                        "Order of the atoms by falling magnitude of their correlations (float32 [N], which must not be "
                        "changed later), then by rising index.")
        .def(py::init<Array<float>>(), py::arg("correlations"))
        .def("__len__", &Ranking::size)
        .def("count_for", &Ranking::count_for, py::arg("want"), Release(),
             "Returns the smallest M >= 1 with reach(M) >= want; if there is none, the M with the largest reach.")
        .def("reach", &Ranking::reach, py::arg("count"), Release(),
             "Returns the projection on the unit residual of the noise z made of the first `count` atoms: sum of their "
             "magnitudes / sqrt(count).")
        .def("take", &Ranking::take, py::arg("count"),
             "(indices uint32 [count] rising, signs int8 [count]) of the count strongest atoms.");
}

} // namespace gvc
