// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// The source of unpredictable numbers: ids, keys, boundaries and jitter. Replace it with a seeded source to make a run
/// repeatable.
class random_source {
public:
    virtual ~random_source() = default;
    [[nodiscard]] virtual std::uint64_t next() = 0;
    /// Draws several numbers in one call.
    virtual void fill(std::span<std::uint64_t> all) {
        for (std::uint64_t& one : all) {
            one = next();
        }
    }

    /// Uniform in [0, 1).
    [[nodiscard]] double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    /// `length` characters of `alphabet`, which has 16, 32 or 64 of them.
    [[nodiscard]] std::string text(std::size_t length, std::string_view alphabet = "0123456789abcdef") {
        const int bits = std::countr_zero(alphabet.size());
        std::string out;
        out.reserve(length);
        std::uint64_t pool = 0;
        for (int left = 0; out.size() < length; left -= bits) {
            if (left < bits) {
                pool = next();
                left = 64;
            }
            out.push_back(alphabet[pool & (alphabet.size() - 1)]);
            pool >>= bits;
        }
        return out;
    }
};

/// The operating system's random device.
class real_random final : public random_source {
public:
    [[nodiscard]] std::uint64_t next() override;
    void fill(std::span<std::uint64_t> all) override;
};

/// Numbers that were drawn from another source in one call, which is cheaper.
class random_batch final : public random_source {
public:
    /// Draws `count` numbers; if more are requested, they are drawn one by one. `from` must outlive it.
    random_batch(random_source& from, std::size_t count) : from_(from), drawn_(count) { from.fill(drawn_); }
    [[nodiscard]] std::uint64_t next() override { return used_ < drawn_.size() ? drawn_[used_++] : from_.next(); }

private:
    random_source& from_;
    std::vector<std::uint64_t> drawn_;
    std::size_t used_ = 0;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/random.ipp>
#endif
