// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Encoder: the choice of the corrections that are worth their bits, given a model of each block's squared error.
#include "correction_field.h"

#include <array>
#include <cmath>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr double kUnusedBits = 0.1, kUsedBits = 4.0; ///< estimated bits of an unused and of a used cell
constexpr double kStepBits = 1.5;                    ///< estimated bits for each doubling of a change
constexpr double kStiffness = 18.75; ///< curvature added to each cell's model, so that cells without texture keep small
                                     ///< changes
constexpr int kValues = 10;          ///< values of a model
constexpr int kCurve[3][3] = {{4, 5, 6}, {5, 7, 8}, {6, 8, 9}}; ///< index of each curvature in a model's values

using Change = std::array<double, 3>; ///< steps of a cell, whole numbers unless said otherwise

/// The squared error of a block or cell: error - 2 slope.d + d.curve.d for a change of d steps.
/// Its values are those of block_model.
struct Model {
    double values[kValues] = {};

    Change bent(const Change &change) const {
        Change result{};
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j)
                result[i] += values[kCurve[i][j]] * change[j];
        return result;
    }

    /// The squared error that a change saves.
    double saved(const Change &change) const {
        const Change curve = bent(change);
        double sum = 0;
        for (int i = 0; i < 3; ++i)
            sum += change[i] * (2 * values[1 + i] - curve[i]);
        return sum;
    }

    /// Expresses the model around another correction, which is `change` steps away.
    void recentre(const Change &change) {
        const Change curve = bent(change);
        values[0] -= saved(change);
        for (int i = 0; i < 3; ++i)
            values[1 + i] -= curve[i];
    }

    /// The change, not of whole steps, that leaves the smallest error. The matrix is symmetric and positive definite.
    Change best() const {
        double m[3][4];
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 3; ++j)
                m[i][j] = values[kCurve[i][j]] + (i == j ? kStiffness : 0);
            m[i][3] = values[1 + i];
        }
        for (int pivot = 0; pivot < 3; ++pivot)
            for (int row = pivot + 1; row < 3; ++row) {
                const double share = m[row][pivot] / m[pivot][pivot];
                for (int column = pivot; column < 4; ++column)
                    m[row][column] -= share * m[pivot][column];
            }
        Change result{};
        for (int i = 2; i >= 0; --i) {
            double rest = m[i][3];
            for (int j = i + 1; j < 3; ++j)
                rest -= m[i][j] * result[j];
            result[i] = rest / m[i][i];
        }
        return result;
    }
};

double bits_of(const Change &change) {
    if (change == Change{})
        return kUnusedBits;
    double product = 1;
    for (const double steps : change)
        product *= 1 + std::abs(steps);
    return kUsedBits + kStepBits * std::log2(product);
}

/// The models of all blocks of a picture.
class Blocks {
  public:
    /// most: largest error of each block; a model that predicts more is scaled down.
    Blocks(int rows, int columns, const double *values, const double *most)
        : rows_(rows), columns_(columns), models_(size_t(rows) * columns) {
        for (size_t i = 0; i < models_.size(); ++i) {
            const double share = std::min(1.0, most[i] / std::max(values[i * kValues], 1.0));
            for (int k = 0; k < kValues; ++k)
                models_[i].values[k] = values[i * kValues + k] * share;
        }
    }

    /// The model of a cell of size x size blocks.
    Model of_cell(int row, int column, int size) const {
        Model sum;
        for (int r = row * size; r < std::min((row + 1) * size, rows_); ++r)
            for (int c = column * size; c < std::min((column + 1) * size, columns_); ++c)
                for (int k = 0; k < kValues; ++k)
                    sum.values[k] += models_[size_t(r) * columns_ + c].values[k];
        return sum;
    }

    void recentre(const Field &field) {
        for (size_t i = 0; i < models_.size(); ++i) {
            Change change;
            for (int k = 0; k < 3; ++k)
                change[k] = double(field.values[i * 3 + k]) / kStep[k];
            models_[i].recentre(change);
        }
    }

  private:
    int rows_, columns_;
    std::vector<Model> models_;
};

/// The changed cell with the best ratio of error and bits: as it is, or with all, motion or weight of it renewed or 0.
Change chosen(const Model &model, const int32_t *now, double price) {
    static constexpr bool kParts[3][3] = {{true, true, true}, {true, true, false}, {false, false, true}};
    const Change old{double(now[0]), double(now[1]), double(now[2])}, optimum = model.best();
    Change best = old;
    double least = price * bits_of(old);
    const auto attempt = [&](const bool *part, const Change &towards) {
        Change change{}, cell = old;
        for (int i = 0; i < 3; ++i) {
            change[i] = part[i] ? std::rint(towards[i]) : 0;
            cell[i] += change[i];
        }
        const double cost = price * bits_of(cell) - model.saved(change);
        if (cost < least)
            least = cost, best = cell;
    };
    for (const auto &part : kParts)
        attempt(part, optimum);
    for (const auto &part : kParts)
        attempt(part, {-old[0], -old[1], -old[2]});
    for (double &steps : best)
        steps = std::clamp(steps, double(-kMostSteps), double(kMostSteps));
    return best;
}

/// Improves the changes in cells from coarse to fine; returns an estimate of their bits.
double choose(const Grid &grid, Blocks &blocks, double price, std::vector<Field> &levels) {
    double bits = 0;
    for (size_t level = 0; level < levels.size(); ++level) {
        Field &cells = levels[level];
        std::vector<Field> alone; // the difference that this level makes
        for (size_t i = 0; i <= level; ++i)
            alone.push_back(grid.cells(i));
        bool changed = false, used = false;
        double level_bits = 0;
        for (int row = 0; row < cells.rows; ++row)
            for (int column = 0; column < cells.columns; ++column) {
                int32_t *const cell = cells.at(row, column);
                const Change best = chosen(blocks.of_cell(row, column, grid.sides()[level] / kBlock), cell, price);
                for (int i = 0; i < 3; ++i) {
                    alone.back().at(row, column)[i] = int32_t(best[i]) - cell[i];
                    changed |= int32_t(best[i]) != cell[i];
                    used |= best[i] != 0;
                    cell[i] = int32_t(best[i]);
                }
                level_bits += bits_of(best);
            }
        if (changed && level + 1 < levels.size())
            blocks.recentre(grid.sum(alone));
        bits += used ? level_bits : 0;
    }
    return bits;
}

py::tuple choose_corrections(int height, int width, const Array<double> &model, const Array<double> &most, double price,
                             const py::sequence &levels) {
    const Grid grid(height, width);
    const int rows = grid.rows(kBlock), columns = grid.columns(kBlock);
    if (model.ndim() != 3 || model.shape(0) != rows || model.shape(1) != columns || model.shape(2) != kValues ||
        most.ndim() != 2 || most.shape(0) != rows || most.shape(1) != columns)
        throw std::invalid_argument("the model must be [rows, columns, 10] and the errors [rows, columns]");
    std::vector<Field> cells = levels_of(grid, levels);
    while (cells.size() < grid.sides().size())
        cells.push_back(grid.cells(cells.size()));
    double bits;
    {
        const py::gil_scoped_release release;
        Blocks blocks(rows, columns, model.data(), most.data());
        bits = choose(grid, blocks, price, cells);
        while (!cells.empty() && std::all_of(cells.back().values.begin(), cells.back().values.end(),
                                             [](int32_t steps) { return steps == 0; }))
            cells.pop_back();
    }
    py::list result;
    for (const Field &level : cells)
        result.append(array_of<int64_t>(level));
    return py::make_tuple(result, bits);
}

py::array_t<double> recentred(const Array<double> &model, const Array<int32_t> &change) {
    if (model.ndim() != 3 || change.ndim() != 3 || model.shape(2) != kValues || change.shape(2) != 3 ||
        !std::equal(model.shape(), model.shape() + 2, change.shape()))
        throw std::invalid_argument("the model must be [rows, columns, 10] and the change [rows, columns, 3]");
    py::array_t<double> result({model.shape(0), model.shape(1), model.shape(2)});
    const double *in = model.data();
    const int32_t *units = change.data();
    double *out = result.mutable_data();
    const size_t count = size_t(change.shape(0)) * change.shape(1);
    const py::gil_scoped_release release;
    for (size_t i = 0; i < count; ++i, in += kValues, out += kValues, units += 3) {
        Model block;
        std::copy_n(in, kValues, block.values);
        block.recentre({double(units[0]) / kStep[0], double(units[1]) / kStep[1], double(units[2]) / kStep[2]});
        std::copy_n(block.values, kValues, out);
    }
    return result;
}

} // namespace

void bind_correction_search(py::module_ &module) {
    const auto model = py::arg("model");
    module.def("choose_corrections", &choose_corrections, py::arg("height"), py::arg("width"), model, py::arg("most"),
               py::arg("price"), py::arg("levels"),
               "Improves the changes in the cells of a picture; returns (changes, int64 [rows, columns, 3] for each "
               "level, without empty levels at the end; estimate of their bits). model: of each block's squared error, "
               "float64 [rows, columns, 10] as from block_model in coded steps. most: largest error of each block, "
               "float64 [rows, columns]. price: squared error that a bit is worth. levels: changes so far.");
    module.def("recentred", &recentred, model, py::arg("change"),
               "Returns the model around another field, which is `change` (int32 [rows, columns, 3]) away.");
}

} // namespace gvc
