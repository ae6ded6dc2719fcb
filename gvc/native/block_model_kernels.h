// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Sums over the pixels of blocks, several blocks at a time; included by each_instruction_set.h. They are sums of small
// integers, so they are exact in any order.

GVC_TARGET void subtract(int16_t *__restrict out, const uint8_t *a, const uint8_t *b, int count) {
    for (int i = 0; i < count; ++i)
        out[i] = int16_t(a[i] - b[i]);
}

/// The residual of each pixel of a row of blocks, and three components of its gradient; slopes are doubled.
class Parts {
  public:
    explicit Parts(int width) : width_(width), stride_((width + kBlock - 1) / kBlock * kBlock + 2 * kMostLanes) {
        for (auto &part : parts_)
            part.resize(size_t(stride_) * kBlock);
    }

    /// Computes row y of the pictures as row i of the blocks.
    GVC_TARGET void set_row(int i, const Pictures &pictures, int y) {
        const uint8_t *source = pictures.source + size_t(y) * width_, *made = pictures.made + size_t(y) * width_;
        const uint8_t *of_a = pictures.of_a + size_t(y) * width_, *of_b = pictures.of_b + size_t(y) * width_;
        const uint8_t *above = y > 0 ? made - width_ : made, *below = y + 1 < pictures.height ? made + width_ : made;
        int16_t *const slope_x = row(1, i);
        const int last = width_ - 1;
        subtract(row(0, i), source, made, width_);
        slope_x[0] = int16_t(made[std::min(1, last)] - made[0]);
        subtract(slope_x + 1, made + 2, made, last - 1);
        slope_x[last] = int16_t(made[last] - made[std::max(last - 1, 0)]);
        subtract(row(2, i), below, above, width_);
        subtract(row(3, i), of_b, of_a, width_);
    }

    /// Leaves row i of the blocks, and those after it, out of the sums.
    void clear_from(int i) {
        for (auto &part : parts_)
            std::fill(part.begin() + ptrdiff_t(i) * stride_, part.end(), int16_t(0));
    }

    /// Writes the sums of each block, kValues each.
    GVC_TARGET void write_sums(double *out) const {
        // What the doubled slopes make of each sum: the products are r r, r g (x, y, w) and g g' (xx xy xw yy yw ww).
        constexpr double scales[kValues] = {1, 0.5, 0.5, 1, 0.25, 0.25, 0.5, 0.25, 0.5, 1};
        constexpr int at_once = 2 * kLanes / kBlock, lanes = kLanes / at_once;
        const int blocks = (width_ + kBlock - 1) / kBlock;
        for (int first = 0; first < blocks; first += at_once) {
            Ints sums[kValues]{};
            for (int i = 0; i < kBlock; ++i) {
                const int at = first * kBlock;
                const Ints parts[] = {load(row(0, i) + at), load(row(1, i) + at), load(row(2, i) + at),
                                      load(row(3, i) + at)};
                int value = 0;
                for (int a = 0; a < 4; ++a)
                    for (int b = a; b < 4; ++b)
                        sums[value++] += dot_shorts(parts[a], parts[b]);
            }
            int32_t values[kValues][kLanes];
            for (int value = 0; value < kValues; ++value)
                store(values[value], sums[value]);
            for (int block = 0; block < std::min(at_once, blocks - first); ++block, out += kValues)
                for (int value = 0; value < kValues; ++value) {
                    const int32_t *of_block = values[value] + block * lanes;
                    int sum = 0;
                    for (int lane = 0; lane < lanes; ++lane)
                        sum += of_block[lane];
                    out[value] = sum * scales[value];
                }
        }
    }

  private:
    int16_t *row(int part, int i) {
        return &parts_[part][size_t(i) * stride_];
    }
    const int16_t *row(int part, int i) const {
        return &parts_[part][size_t(i) * stride_];
    }

    const int width_, stride_;
    std::vector<int16_t> parts_[4];
};

GVC_TARGET void model_blocks(double *out, const Pictures &pictures) {
    Parts parts(pictures.width);
    const size_t columns = (pictures.width + kBlock - 1) / kBlock;
    for (int top = 0; top < pictures.height; top += kBlock, out += columns * kValues) {
        const int rows = std::min(kBlock, pictures.height - top);
        for (int i = 0; i < rows; ++i)
            parts.set_row(i, pictures, top + i);
        parts.clear_from(rows);
        parts.write_sums(out);
    }
}
