// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/hashing_source.hpp>
#include <waybill/detail/codec.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL hashing_source::hashing_source(std::unique_ptr<body_source> inner, std::string algorithm,
                                            std::string_view saved, std::size_t piece_size)
    : inner_(std::move(inner)), algorithm_(std::move(algorithm)), digest_(digest::make(algorithm_)),
      piece_size_(piece_size) {
    decoder in(saved);
    std::deque<point> found;
    while (!saved.empty() && in.ok() && !in.finished() && found.size() < max_points) {
        const std::uint64_t offset = in.number(inner_->size());
        found.push_back(point{offset, in.text()});
    }
    if (in.finished()) {
        points_ = std::move(found);
    }
}

WAYBILL_DECL void hashing_source::read(std::uint64_t offset, std::span<char> out) {
    inner_->read(offset, out);
    take(offset, out);
}

// Split at the points' offsets, so that each point is at a round offset for any sizes of the pieces.
WAYBILL_DECL void hashing_source::take(std::uint64_t offset, std::span<const char> bytes) {
    if (offset > position_ || offset + bytes.size() <= position_) {
        return;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(position_ - offset));
    while (!bytes.empty()) {
        const std::uint64_t next = (position_ / interval + 1) * interval;
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(next - position_, bytes.size()));
        digest_->update(bytes.first(count));
        position_ += count;
        bytes = bytes.subspan(count);
        if (position_ == next && (points_.empty() || points_.back().offset < position_)) {
            points_.push_back(point{position_, digest_->state()});
            if (points_.size() > max_points) {
                points_.pop_front();
            }
        }
    }
}

WAYBILL_DECL asio::awaitable<void> hashing_source::continue_at(std::uint64_t offset) {
    std::unique_ptr<digest> fresh = digest::make(algorithm_);
    std::uint64_t from = 0;
    for (const point& m : points_) {
        if (m.offset <= offset && m.offset >= from && fresh->restore(m.state)) {
            from = m.offset;
        }
    }
    if (position_ <= offset && position_ >= from) {
        from = position_;  // the current position is nearer
    } else {
        digest_ = std::move(fresh);
        position_ = from;
    }
    std::vector<char> piece(static_cast<std::size_t>(std::min<std::uint64_t>(offset - from, piece_size_)));
    const asio::any_io_executor home = co_await asio::this_coro::executor;
    while (position_ < offset) {
        const std::span<char> next(piece.data(),
                                   static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), offset - position_)));
        read(position_, next);
        co_await asio::post(home, asio::use_awaitable);
    }
}

WAYBILL_DECL std::string hashing_source::digest_points() const {
    encoder out;
    for (const point& m : points_) {
        out.number(m.offset).text(m.state);
    }
    return std::move(out).take();
}

}  // namespace waybill::detail
