// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

namespace waybill::detail {

/// A range of a larger body, as a body: what one request sends of it.
class body_range final : public body_source {
public:
    body_range(body_source& whole, std::uint64_t offset, std::uint64_t length)
        : whole_(whole), offset_(offset), length_(length) {}

    [[nodiscard]] std::uint64_t size() const noexcept override { return length_; }
    void read(std::uint64_t offset, std::span<char> out) override {
        whole_.read(offset_ + offset, out);
        taken_ = std::max(taken_, offset + out.size());
    }

    /// How many of its bytes have been read: no server can have more.
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

private:
    body_source& whole_;
    std::uint64_t offset_;
    std::uint64_t length_;
    std::uint64_t taken_ = 0;
};

}  // namespace waybill::detail
