#include "bindings.h"
#include "multiversion.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kBlock = 8;        ///< side of a block, pixels
constexpr int kWindow = 16;      ///< side of the window that is compared, centred on the block
constexpr int kUnit = 8;         ///< vector units in a pixel
constexpr int kBorder = 32;      ///< replicated pixels around a plane
constexpr int kSmallest = 16;    ///< no pyramid level gets a smaller side
static int param(const char *n, int d) { const char *s = getenv(n); return s ? atoi(s) : d; }
#define P(n, d) ([] { static int v = param(n, d); return v; }())

struct Vec {
    int x = 0, y = 0;
    bool operator==(const Vec &o) const { return x == o.x && y == o.y; }
};

/// A picture with its edge pixels repeated outwards.
class Plane {
  public:
    Plane(int width, int height) : width(width), height(height), stride(width + 2 * kBorder + 32), data_(size_t(stride) * (height + 2 * kBorder)) {}
    uint8_t *row(int y) { return data_.data() + size_t(y + kBorder) * stride + kBorder; }
    const uint8_t *row(int y) const { return data_.data() + size_t(y + kBorder) * stride + kBorder; }
    void extend() {
        for (int y = 0; y < height; ++y) {
            uint8_t *p = row(y);
            std::fill(p - kBorder, p, p[0]);
            std::fill(p + width, p + width + kBorder + 32, p[width - 1]);
        }
        for (int y = -kBorder; y < height + kBorder; ++y)
            if (y < 0 || y >= height)
                std::copy_n(row(std::clamp(y, 0, height - 1)) - kBorder, stride, row(y) - kBorder);
    }
    const int width, height, stride;

  private:
    std::vector<uint8_t> data_;
};

Plane halve(const Plane &fine) {
    Plane coarse((fine.width + 1) / 2, (fine.height + 1) / 2);
    for (int y = 0; y < coarse.height; ++y) {
        const uint8_t *p = fine.row(2 * y), *q = fine.row(2 * y + 1);
        for (int x = 0; x < coarse.width; ++x)
            coarse.row(y)[x] = (p[2 * x] + p[2 * x + 1] + q[2 * x] + q[2 * x + 1] + 2) >> 2;
    }
    coarse.extend();
    return coarse;
}

GVC_MULTIVERSION int window_sad(const uint8_t *a, int stride_a, const uint8_t *b, int stride_b, int fx, int fy) {
    uint16_t rows[2][kWindow];
    int sad = 0;
    const uint16_t gx = kUnit - fx, gy = kUnit - fy, hx = fx, hy = fy;
    for (int x = 0; x < kWindow; ++x)
        rows[0][x] = b[x] * gx + b[x + 1] * hx;
    for (int y = 0; y < kWindow; ++y) {
        b += stride_b;
        uint16_t *upper = rows[y & 1], *lower = rows[~y & 1];
        int sum = 0;
        for (int x = 0; x < kWindow; ++x)
            lower[x] = b[x] * gx + b[x + 1] * hx;
        for (int x = 0; x < kWindow; ++x) {
            const int16_t d = int16_t(uint16_t(upper[x] * gy + lower[x] * hy + kUnit * kUnit / 2) / (kUnit * kUnit)) - a[x];
            sum += std::abs(d);
        }
        sad += sum;
        a += stride_a;
    }
    return sad;
}

class Level {
  public:
    Level(const Plane &a, const Plane &b) : a_(a), b_(b), columns_((a.width + kBlock - 1) / kBlock), rows_((a.height + kBlock - 1) / kBlock), field_(size_t(columns_) * rows_) {}

    void full_search() {
        const int rx = std::max(1, a_.width / 4), ry = std::max(1, a_.height / 4);
        for (int r = 0; r < rows_; ++r)
            for (int c = 0; c < columns_; ++c) {
                Vec best;
                int best_cost = sad(r, c, best);
                for (int y = -ry; y <= ry; ++y)
                    for (int x = -rx; x <= rx; ++x) {
                        const Vec v = limit(r, c, {x * kUnit, y * kUnit});
                        const int cost = sad(r, c, v) + P("LF", 2) * (std::abs(v.x) + std::abs(v.y));
                        if (cost < best_cost)
                            best_cost = cost, best = v;
                    }
                at(r, c) = best;
            }
    }

    void inherit(const Level &coarse) {
        for (int r = 0; r < rows_; ++r)
            for (int c = 0; c < columns_; ++c) {
                Vec best; int best_cost = 1 << 30;
                for (int dr = 0; dr < 2; ++dr) for (int dc = 0; dc < 2; ++dc) {
                    int pr = r / 2 + dr * ((r & 1) ? 1 : -1), pc = c / 2 + dc * ((c & 1) ? 1 : -1);
                    pr = std::clamp(pr, 0, coarse.rows_ - 1), pc = std::clamp(pc, 0, coarse.columns_ - 1);
                    const Vec p = coarse.field_[pr * coarse.columns_ + pc];
                    const Vec v = limit(r, c, {2 * p.x, 2 * p.y});
                    const int cost = sad(r, c, v);
                    if (cost < best_cost) best_cost = cost, best = v;
                }
                at(r, c) = best;
            }
    }

    void refine(int lambda, int sweeps) {
        for (int s = 0; s < sweeps; ++s) {
            const int step = std::max(1, kUnit >> s);
            for (int i = 0; i < rows_ * columns_; ++i) {
                const int j = s & 1 ? rows_ * columns_ - 1 - i : i;
                improve(j / columns_, j % columns_, lambda, step);
            }
        }
    }
    const std::vector<Vec> &field() const { return field_; }
    int columns() const { return columns_; }
    int rows() const { return rows_; }

  private:
    Vec &at(int r, int c) { return field_[r * columns_ + c]; }

    Vec limit(int r, int c, Vec v) const {
        // the window may leave the picture by half its side
        const int x0 = c * kBlock - 4, y0 = r * kBlock - 4, slack = kBorder - kWindow;
        const int lowx = (-slack - x0) * kUnit, highx = (a_.width + slack - kWindow - x0) * kUnit;
        const int lowy = (-slack - y0) * kUnit, highy = (a_.height + slack - kWindow - y0) * kUnit;
        return {std::clamp(v.x, std::min(lowx, 0), std::max(highx, 0)), std::clamp(v.y, std::min(lowy, 0), std::max(highy, 0))};
    }

    int sad(int r, int c, Vec v) const {
        const int x0 = c * kBlock - 4, y0 = r * kBlock - 4;
        return window_sad(a_.row(y0) + x0, a_.stride, b_.row(y0 + (v.y >> 3)) + x0 + (v.x >> 3), b_.stride, v.x & 7, v.y & 7);
    }

    int roughness(int r, int c, Vec v) {
        int sum = std::min(std::abs(v.x) + std::abs(v.y), P("ZCAP", 64)) * P("ZERO", 0) / 16;
        auto add = [&](int rr, int cc) {
            if (rr < 0 || cc < 0 || rr >= rows_ || cc >= columns_) return;
            const Vec n = at(rr, cc);
            sum += std::min(std::abs(v.x - n.x) + std::abs(v.y - n.y), P("CAP",1000));
        };
        add(r - 1, c), add(r + 1, c), add(r, c - 1), add(r, c + 1);
        return sum;
    }

    void improve(int r, int c, int lambda, int step) {
        Vec best = at(r, c);
        int best_cost = sad(r, c, best) + lambda * roughness(r, c, best);
        auto offer = [&](Vec v) {
            v = limit(r, c, v);
            if (v == best) return false;
            int rough = lambda * roughness(r, c, v);
            if (rough >= best_cost) return false;
            const int cost = sad(r, c, v) + rough;
            if (cost >= best_cost) return false;
            best_cost = cost, best = v;
            return true;
        };
        if (r > 0) offer(at(r - 1, c));
        if (r + 1 < rows_) offer(at(r + 1, c));
        if (c > 0) offer(at(r, c - 1));
        if (c + 1 < columns_) offer(at(r, c + 1));
        for (int s = step; s >= 1; s /= 2)
            for (int k = 0; k < 4; ++k) {
                const Vec centre = best;
                bool better = offer({centre.x - s, centre.y});
                better |= offer({centre.x + s, centre.y});
                better |= offer({centre.x, centre.y - s});
                better |= offer({centre.x, centre.y + s});
                if (!better) break;
            }
        at(r, c) = best;
    }

    const Plane &a_, &b_;
    const int columns_, rows_;
    std::vector<Vec> field_;
};

using Picture = Array<uint8_t>;

Plane plane_of(const Picture &picture) {
    if (picture.ndim() != 2 || picture.size() == 0)
        throw std::invalid_argument("pictures must be uint8 [height, width], not empty");
    Plane plane(picture.shape(1), picture.shape(0));
    for (int y = 0; y < plane.height; ++y)
        std::copy_n(picture.data(y, 0), plane.width, plane.row(y));
    plane.extend();
    return plane;
}

py::array_t<int16_t> motion_field(const Picture &a, const Picture &b) {
    std::vector<Plane> pa, pb;
    pa.push_back(plane_of(a)), pb.push_back(plane_of(b));
    while (std::min(pa.back().width, pa.back().height) >= 2 * P("SMALL", kSmallest))
        pa.push_back(halve(pa.back())), pb.push_back(halve(pb.back()));
    std::vector<Vec> f;
    int rows, cols;
    {
        Level *last = nullptr;
        for (int l = int(pa.size()) - 1; l >= 0; --l) {
            Level *level = new Level(pa[l], pb[l]);
            if (last) level->inherit(*last); else level->full_search();
            level->refine(P("LAMBDA",16), P("SWEEPS", 4));
            delete last;
            last = level;
        }
        f = last->field(), rows = last->rows(), cols = last->columns();
    }
    py::array_t<int16_t> result({rows, cols, 2});
    for (int i = 0; i < rows * cols; ++i)
        result.mutable_data()[2 * i] = f[i].x, result.mutable_data()[2 * i + 1] = f[i].y;
    return result;
}

} // namespace

void bind_motion(py::module_ &module) {
    module.def("motion_field", &motion_field, py::arg("a"), py::arg("b"));
}
} // namespace gvc
