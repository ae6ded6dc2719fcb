// Which atoms to send: the strongest correlations first. Only as much of the order is made as is asked for.
#include "bindings.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

/// Atoms by falling magnitude of their correlation, equal ones by rising index.
///
/// Magnitudes are sorted into bins by the upper half of their float bits. The histogram gives each bin its place in the
/// order, so the order can be completed bin by bin from the strongest down.
class Ranking {
  public:
    explicit Ranking(const Array<float> &correlations)
        : correlations_(correlations.data(), correlations.data() + correlations.size()), places_(kBins + 1, 0),
          next_bin_(kBins), best_reach_(1, 0.0), sum_(0.0) {
        if (correlations_.empty() || correlations_.size() > size_t{1} << 31)
            throw std::invalid_argument("ranking needs 1..2^31 correlations");
        for (const float value : correlations_)
            ++places_[bin_of(value)];
        for (size_t bin = kFirstNotFinite; bin < kBins; ++bin)
            if (places_[bin])
                throw std::invalid_argument("the correlations must be finite numbers");
        size_t place = 0; // from counts to the place of each bin's first atom, strongest bin first
        for (size_t bin = kBins; bin-- > 0;) {
            const size_t count = places_[bin];
            places_[bin] = place;
            place += count;
        }
    }

    size_t size() const {
        return correlations_.size();
    }

    /// The smallest count of atoms whose normalised sum reaches `want`, or else the count that comes nearest.
    size_t count_for(double want) {
        if (std::isnan(want))
            throw std::invalid_argument("the wanted projection must be a number");
        while (best_reach_.back() < want && ordered() < size())
            extend(2 * ordered() + 64);
        // best_reach_ never falls; the first place of its last value is the first count that attains the maximum.
        const double target = std::min(want, best_reach_.back());
        const auto found = std::lower_bound(best_reach_.begin() + 1, best_reach_.end(), target);
        return std::min<size_t>(found - best_reach_.begin(), size());
    }

    /// Sum of the `count` largest magnitudes over sqrt(count): what z reaches along the residual.
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
        std::copy_n(order_.begin(), count, index);
        std::sort(index, index + count);
        for (size_t i = 0; i < count; ++i)
            sign[i] = correlations_[index[i]] < 0 ? -1 : 1;
        return py::make_tuple(indices, signs);
    }

  private:
    static constexpr size_t kBins = size_t{1} << 16, kFirstNotFinite = 0xFF00; ///< 8 bits of exponent, 8 of mantissa

    static size_t bin_of(float value) {
        uint32_t bits;
        std::memcpy(&bits, &value, sizeof(bits));
        return (bits & 0x7FFFFFFF) >> 15;
    }

    size_t ordered() const {
        return sums_.size();
    }

    void require(size_t count) {
        if (count > size())
            throw std::invalid_argument("the codebook has only " + std::to_string(size()) + " atoms");
        if (count > ordered())
            extend(count);
    }

    /// Completes the order of at least the first `count` atoms.
    void extend(size_t count) {
        const size_t first = ordered(), end_bin = next_bin_;
        while (next_bin_ > 0 && place_after(next_bin_) < std::min(count, size()))
            --next_bin_;
        const size_t last = place_after(next_bin_);
        order_.resize(last);
        std::vector<size_t> place(places_.begin() + next_bin_, places_.begin() + end_bin);
        for (size_t i = 0; i < size(); ++i) {
            const size_t offset = bin_of(correlations_[i]) - next_bin_; // wraps to a huge number below next_bin_
            if (offset < place.size())
                order_[place[offset]++] = uint32_t(i);
        }
        for (size_t bin = next_bin_; bin < end_bin; ++bin)
            std::sort(order_.begin() + places_[bin], order_.begin() + place[bin - next_bin_],
                      [this](uint32_t a, uint32_t b) { return stronger(a, b); });
        for (size_t i = first; i < last; ++i) {
            sum_ += std::fabs(double(correlations_[order_[i]]));
            sums_.push_back(sum_);
            best_reach_.push_back(std::max(best_reach_.back(), sum_ / std::sqrt(double(i + 1))));
        }
    }

    /// How many atoms lie in bins >= `bin`.
    size_t place_after(size_t bin) const {
        return bin == 0 ? size() : places_[bin - 1];
    }

    bool stronger(uint32_t a, uint32_t b) const {
        const float x = std::fabs(correlations_[a]), y = std::fabs(correlations_[b]);
        return x != y ? x > y : a < b;
    }

    std::vector<float> correlations_;
    std::vector<size_t> places_;     ///< place in the order of each bin's first atom
    size_t next_bin_;                ///< bins from here on are in order_
    std::vector<uint32_t> order_;    ///< the strongest atoms
    std::vector<double> sums_;       ///< sums_[i]: of the i + 1 largest magnitudes
    std::vector<double> best_reach_; ///< best_reach_[i]: the largest reach of any count <= i
    double sum_;
};

} // namespace

void bind_ranking(py::module_ &module) {
    using Release = py::call_guard<py::gil_scoped_release>;
    py::class_<Ranking>(module, "Ranking",
                        "Atoms by falling magnitude of their correlation (float32 [N]), equal ones by rising index.")
        .def(py::init<const Array<float> &>(), py::arg("correlations"))
        .def("__len__", &Ranking::size)
        .def("count_for", &Ranking::count_for, py::arg("want"), Release(),
             "Smallest count M >= 1 with reach(M) >= want; if none has it, the M whose reach is the largest.")
        .def("reach", &Ranking::reach, py::arg("count"), Release(),
             "Projection of the count strongest atoms' z on the unit residual: sum of magnitudes / sqrt(count).")
        .def("take", &Ranking::take, py::arg("count"),
             "(indices uint32 [count] rising, signs int8 [count]) of the count strongest atoms.");
}

} // namespace gvc
