// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// The code of a GOP's corrections: the changes in the cells of each unknown picture. Normative (docs/BITSTREAM.md,
// section 11.7).
#include "adaptive_models.h"
#include "correction_field.h"

namespace gvc {
namespace {

/// The adaptive models of a GOP's corrections.
class Models {
  public:
    explicit Models(size_t levels) : depth_(int(levels) + 1) {}

    void write(RangeEncoder &encoder, const std::vector<Field> &levels) {
        depth_.write(encoder, int(levels.size()));
        Used above;
        for (const Field &level : levels) {
            Used used(level);
            for (int row = 0; row < level.rows; ++row)
                for (int column = 0; column < level.columns; ++column) {
                    const int32_t *const cell = level.at(row, column);
                    const bool is_used = cell[0] || cell[1] || cell[2];
                    used_[above.around(row, column)].write(encoder, is_used);
                    used.set(row, column, is_used);
                    for (int i = 0; is_used && i < 3; ++i)
                        step(i).write_delta(encoder, cell[i]);
                }
            above = std::move(used);
        }
    }

    std::vector<Field> read(RangeDecoder &decoder, const Grid &grid) {
        std::vector<Field> levels;
        Used above;
        for (int count = depth_.read(decoder); count > 0; --count) {
            levels.push_back(grid.cells(levels.size()));
            Field &level = levels.back();
            Used used(level);
            for (int row = 0; row < level.rows; ++row)
                for (int column = 0; column < level.columns; ++column) {
                    const bool is_used = used_[above.around(row, column)].read(decoder);
                    used.set(row, column, is_used);
                    for (int i = 0; is_used && i < 3; ++i)
                        level.at(row, column)[i] = checked(step(i).read_delta(decoder));
                }
            above = std::move(used);
        }
        return levels;
    }

  private:
    /// Which cells of a level are used.
    class Used {
      public:
        Used() = default;
        explicit Used(const Field &level) : columns_(level.columns), flags_(size_t(level.rows) * level.columns) {}

        void set(int row, int column, bool used) {
            flags_[size_t(row) * columns_ + column] = used;
        }

        /// Whether the cell of this level around a cell of the next one is used; 1 if there is no such level.
        int around(int row, int column) const {
            return flags_.empty() ? 1 : flags_[size_t(row / 2) * columns_ + column / 2];
        }

      private:
        int columns_ = 0;
        std::vector<uint8_t> flags_;
    };

    static int32_t checked(int64_t steps) {
        if (steps < -kMostSteps || steps > kMostSteps)
            throw CorruptData("step", 0, "a cell has a change of more than " + std::to_string(kMostSteps) + " steps");
        return int32_t(steps);
    }

    DeltaModel &step(int component) {
        return component < 2 ? way_ : weight_;
    }

    AdaptiveModel depth_;
    AdaptiveModel used_[2] = {AdaptiveModel(2, {60, 3}), AdaptiveModel(2, {8, 4})}; ///< by the cell around
    DeltaModel way_{6}, weight_{3};
};

void encode_corrections(RangeEncoder &encoder, int height, int width, const py::sequence &pictures) {
    const Grid grid(height, width);
    std::vector<std::vector<Field>> changes;
    for (const py::handle picture : pictures)
        changes.push_back(levels_of(grid, picture.cast<py::sequence>()));
    const py::gil_scoped_release release;
    Models models(grid.sides().size());
    for (const std::vector<Field> &levels : changes)
        models.write(encoder, levels);
}

py::list decode_corrections(RangeDecoder &decoder, int height, int width, int count) {
    const Grid grid(height, width);
    std::vector<Field> fields;
    {
        const py::gil_scoped_release release;
        Models models(grid.sides().size());
        for (int i = 0; i < count; ++i)
            fields.push_back(grid.sum(models.read(decoder, grid)));
    }
    py::list result;
    for (const Field &field : fields)
        result.append(array_of<int32_t>(field));
    return result;
}

py::array_t<int32_t> correction_field(int height, int width, const py::sequence &levels) {
    const Grid grid(height, width);
    return array_of<int32_t>(grid.sum(levels_of(grid, levels)));
}

} // namespace

void bind_corrections(py::module_ &module) {
    const auto height = py::arg("height"), width = py::arg("width");
    module.def("encode_corrections", &encode_corrections, py::arg("encoder"), height, width, py::arg("pictures"),
               "Writes the changes in the cells of each picture of height x width luma samples: lists of int64 [rows, "
               "columns, 3] from the coarsest level on.");
    module.def("decode_corrections", &decode_corrections, py::arg("decoder"), height, width, py::arg("count"),
               "Reads the changes of `count` pictures; returns what each adds to the field that is expected, int32 "
               "[rows, columns, 3] for blocks of 8x8 luma samples.");
    module.def(
        "correction_field", &correction_field, height, width, py::arg("levels"),
        "Returns the sum of changes in cells as a field, int32 [rows, columns, 3]. levels: int64 [rows, columns, "
        "3] each, from the coarsest on.");
}

} // namespace gvc
