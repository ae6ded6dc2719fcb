// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Fields of corrections and the cells of which they are made. Normative (docs/BITSTREAM.md, section 11.7).
#pragma once

#include "bindings.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gvc {

constexpr int kBlock = 8;              ///< side of a field's blocks in luma samples
constexpr int kCell = 16;              ///< side of the finest cells in luma samples
constexpr int kStep[3] = {16, 16, 64}; ///< size of a coded step in units of the field
constexpr int kMostSteps = 4095;       ///< largest change of a cell in steps
constexpr int kMostChange = 1 << 17;   ///< largest change that arrays may hold, so that sums fit 32 bits

/// Three values (x, y, weight) for each square of a picture, in raster order.
struct Field {
    int rows, columns;
    std::vector<int32_t> values;

    Field(int rows, int columns) : rows(rows), columns(columns), values(size_t(rows) * columns * 3) {}

    const int32_t *at(int row, int column) const {
        return values.data() + (size_t(row) * columns + column) * 3;
    }

    int32_t *at(int row, int column) {
        return values.data() + (size_t(row) * columns + column) * 3;
    }

    /// Returns the field interpolated to squares of half the side.
    Field finer(int fine_rows, int fine_columns) const {
        Field fine(fine_rows, fine_columns);
        for (int row = 0; row < fine_rows; ++row) {
            const int near_row = std::min(row / 2, rows - 1);
            const int far_row = std::clamp(row % 2 ? near_row + 1 : near_row - 1, 0, rows - 1);
            for (int column = 0; column < fine_columns; ++column) {
                const int near = std::min(column / 2, columns - 1);
                const int far = std::clamp(column % 2 ? near + 1 : near - 1, 0, columns - 1);
                const int32_t *const a = at(near_row, near), *const b = at(near_row, far);
                const int32_t *const c = at(far_row, near), *const d = at(far_row, far);
                for (int i = 0; i < 3; ++i)
                    fine.at(row, column)[i] = (9 * a[i] + 3 * b[i] + 3 * c[i] + d[i] + 8) >> 4;
            }
        }
        return fine;
    }

    /// Adds the changes of cells, in steps.
    void add(const Field &steps) {
        for (size_t i = 0; i < values.size(); ++i)
            values[i] += kStep[i % 3] * steps.values[i];
    }
};

/// The division of a picture into squares; height and width are in luma samples.
class Grid {
  public:
    Grid(int height, int width) : height_(height), width_(width) {
        if (height < 1 || width < 1 || height > 65535 || width > 65535)
            throw std::invalid_argument("a picture must have sides of 1..65535");
        for (int side = kCell; sides_.empty() || sides_.front() < std::max(height, width); side *= 2)
            sides_.insert(sides_.begin(), side);
    }

    /// Sides of the cells of each level, from a single cell that covers the picture down to kCell.
    const std::vector<int> &sides() const {
        return sides_;
    }

    int rows(int side) const {
        return (height_ + side - 1) / side;
    }

    int columns(int side) const {
        return (width_ + side - 1) / side;
    }

    /// Zeros for the cells of a level.
    Field cells(size_t level) const {
        return Field(rows(sides_[level]), columns(sides_[level]));
    }

    /// Returns the sum of the changes in the cells of the first levels as a field of blocks.
    Field sum(const std::vector<Field> &levels) const {
        Field field(1, 1);
        for (size_t level = 0; level < sides_.size(); ++level) {
            if (level > 0)
                field = field.finer(rows(sides_[level]), columns(sides_[level]));
            if (level < levels.size())
                field.add(levels[level]);
        }
        return field.finer(rows(kBlock), columns(kBlock));
    }

  private:
    int height_, width_;
    std::vector<int> sides_;
};

/// Copies the changes in cells from Python, int64 [rows, columns, 3] for each level from the coarsest on.
inline std::vector<Field> levels_of(const Grid &grid, const pybind11::sequence &arrays) {
    if (arrays.size() > grid.sides().size())
        throw std::invalid_argument("there are more levels of cells than the picture has");
    std::vector<Field> levels;
    for (size_t level = 0; level < arrays.size(); ++level) {
        const auto array = arrays[level].cast<Array<int64_t>>();
        levels.push_back(grid.cells(level));
        Field &cells = levels.back();
        if (array.ndim() != 3 || array.shape(0) != cells.rows || array.shape(1) != cells.columns || array.shape(2) != 3)
            throw std::invalid_argument("changes must be int64 [rows, columns, 3] with the cells of their level");
        std::transform(array.data(), array.data() + array.size(), cells.values.begin(), [](int64_t change) {
            if (change < -kMostChange || change > kMostChange)
                throw std::invalid_argument("a change is too large");
            return int32_t(change);
        });
    }
    return levels;
}

/// Returns a field as an array of Python, [rows, columns, 3].
template <class T> pybind11::array_t<T> array_of(const Field &field) {
    pybind11::array_t<T> result({field.rows, field.columns, 3});
    std::copy(field.values.begin(), field.values.end(), result.mutable_data());
    return result;
}

} // namespace gvc
