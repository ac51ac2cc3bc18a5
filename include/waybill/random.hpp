// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace waybill {

/// Where unpredictable numbers come from: ids, keys, boundaries and jitter. Replace it with a
/// seeded source to make a run repeatable.
class random_source {
public:
    virtual ~random_source() = default;
    [[nodiscard]] virtual std::uint64_t next() = 0;

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
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/impl/random.ipp>
#endif
