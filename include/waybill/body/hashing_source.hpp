// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/detail/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace waybill::detail {

/// An item's bytes, and the digest of all of them, computed while they are sent.
///
/// Every few megabytes the digest's state is saved as a digest point. `digest_points` goes into the item's checkpoint;
/// after a restart the digest continues at the last point before the offset the server has, so that bytes sent earlier
/// need not be read again. The points describe the file, not the server: they stay valid even if the server loses the
/// bytes.
class hashing_source final : public body_source {
public:
    /// Bytes between two points: the maximum that is read again after a restart, in addition to what the server has
    /// lost.
    static constexpr std::uint64_t interval = 8 << 20;

    /// @param algorithm a name that `digest::make` knows.
    /// @param saved `digest_points()` of an earlier attempt; garbage is ignored.
    /// @param piece_size bytes to read ahead in one turn of the loop (`session::piece_size`).
    hashing_source(std::unique_ptr<body_source> inner, std::string algorithm, std::string_view saved,
                   std::size_t piece_size);

    [[nodiscard]] std::uint64_t size() const noexcept override { return inner_->size(); }

    /// Bytes that follow those read before go into the digest; others, read again, do not.
    void read(std::uint64_t offset, std::span<char> out) override;

    /// Brings the digest to `offset`, reading what is missing after the nearest earlier point, a piece in each turn of
    /// the loop.
    asio::awaitable<void> continue_at(std::uint64_t offset);

    /// The digest points, for the checkpoint.
    [[nodiscard]] std::string digest_points() const;
    /// True when every byte is in the digest.
    [[nodiscard]] bool complete() const noexcept { return position_ == size(); }
    /// The digest of the bytes up to now, raw.
    [[nodiscard]] std::string value() const { return digest_->value(); }
    [[nodiscard]] const std::string& algorithm() const noexcept { return algorithm_; }

private:
    struct point {
        std::uint64_t offset;
        std::string state;
    };
    static constexpr std::size_t max_points = 8;

    void take(std::uint64_t offset, std::span<const char> bytes);

    std::unique_ptr<body_source> inner_;
    std::string algorithm_;
    std::unique_ptr<digest> digest_;
    std::size_t piece_size_;
    std::uint64_t position_ = 0;
    std::deque<point> points_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/body/hashing_source.ipp>
#endif
