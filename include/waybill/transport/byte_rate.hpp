// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace waybill {

/// How fast bytes may be sent: not at all, a number of bytes per second, or without a limit.
class byte_rate {
public:
    /// No limit.
    constexpr byte_rate() = default;

    /// Reads a rate as rclone writes them: `512K`, `1.5M`, `off` for no limit. Units are binary (`K` is 1024), `B` is a
    /// byte, and a number without a unit counts KiB. `stop` means that nothing is sent. Zero is rejected: rclone
    /// reads it as no limit, most people as the opposite.
    ///
    /// Throws `errc::invalid_option` for anything else; the error says where the mistake is.
    explicit byte_rate(std::string_view text) : byte_rate(text, 0) {}

    [[nodiscard]] static constexpr byte_rate unlimited() noexcept { return {}; }
    [[nodiscard]] static constexpr byte_rate stopped() noexcept { return of(0); }
    [[nodiscard]] static constexpr byte_rate of(std::uint64_t bytes_per_second) noexcept {
        byte_rate made;
        made.per_second_ = bytes_per_second;
        return made;
    }

    [[nodiscard]] constexpr bool is_unlimited() const noexcept { return per_second_ == no_limit; }
    [[nodiscard]] constexpr bool is_stopped() const noexcept { return per_second_ == 0; }
    [[nodiscard]] constexpr std::uint64_t per_second() const noexcept { return per_second_; }

    constexpr bool operator==(const byte_rate&) const noexcept = default;

private:
    friend class timetable;

    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    /// `at`: the text's position in a longer one, for the error.
    WAYBILL_DECL byte_rate(std::string_view text, std::size_t at);

    std::uint64_t per_second_ = no_limit;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/transport/byte_rate.ipp>
#endif
