// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/testing/memory_sources.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace waybill::testing {

WAYBILL_DECL asio::awaitable<std::vector<pinned_file>> memory_sources::pin(std::vector<wanted_file> files) {
    std::vector<pinned_file> pinned;
    for (const wanted_file& wanted : files) {
        const memory_files::entry& now = files_->at(wanted.path);
        const std::uint64_t offset = std::min<std::uint64_t>(wanted.offset, now.content.size());
        const std::uint64_t rest = now.content.size() - offset;
        const std::uint64_t length = std::min(wanted.length.value_or(rest), rest);
        pinned.push_back({wanted.path, now.identity, fingerprint_of(now.content, wanted.scope, offset, length, how_)});
    }
    co_return pinned;
}

WAYBILL_DECL std::unique_ptr<body_source> memory_sources::open(const item_spec& item) {
    if (item.kind == source_kind::bytes) {
        return std::make_unique<bytes_source>(item.data);
    }
    return std::make_unique<source>(files_, item, how_);
}

WAYBILL_DECL asio::awaitable<std::vector<recognition>> memory_sources::recognize(std::vector<item_spec> items,
                                                                                 std::vector<bool> begun) {
    std::vector<recognition> found;
    for (std::size_t i = 0; i < items.size(); ++i) {
        found.push_back(recognize_one(items[i], begun[i]));
    }
    co_return found;
}

WAYBILL_DECL recognition memory_sources::recognize_one(const item_spec& item, bool begun) const {
    const recognition nothing{{}, item.identity, item.content, true};
    try {
        const memory_files::entry& now = files_->at(item.path);
        if (item.append_only || detail::compare(item.identity, now.identity, false) != detail::likeness::alike) {
            return nothing;
        }
        const file_fingerprint seen = fingerprint_of(now.content, item.content.scope, item.offset, item.size, how_);
        if (seen != item.content) {
            return {errc::file_changed, item.identity, item.content, true};
        }
        const bool certain =
            item.content.scope == fingerprint_scope::whole || !detail::may_hide_edit(item.identity, now.identity);
        if (certain || !begun) {
            return {{}, now.identity, seen, certain};
        }
        return {{},
                now.identity,
                fingerprint_of(now.content, fingerprint_scope::whole, item.offset, item.size, how_),
                false};
    } catch (const error&) {
        return nothing;
    }
}

}  // namespace waybill::testing
