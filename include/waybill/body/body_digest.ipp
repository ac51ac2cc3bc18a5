// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/detail/digest.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<std::vector<std::string>> digests_of(body_source& body,
                                                                  std::vector<std::string> algorithms,
                                                                  std::size_t piece_size) {
    const asio::any_io_executor home = co_await asio::this_coro::executor;
    std::vector<std::unique_ptr<digest>> sums;
    for (const std::string& name : algorithms) {
        sums.push_back(digest::make(name));
    }
    std::vector<char> piece(static_cast<std::size_t>(std::min<std::uint64_t>(body.size(), piece_size)));
    for (std::uint64_t at = 0; !sums.empty() && at < body.size();) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), body.size() - at));
        const std::span<char> next(piece.data(), count);
        body.read(at, next);
        for (const std::unique_ptr<digest>& sum : sums) {
            sum->update(next);
        }
        at += count;
        co_await asio::post(home, asio::use_awaitable);
    }
    std::vector<std::string> values;
    for (const std::unique_ptr<digest>& sum : sums) {
        values.push_back(sum->value());
    }
    co_return values;
}

}  // namespace waybill::detail
