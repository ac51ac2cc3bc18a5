// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/sqlite_store.hpp>

#include <utility>

// What concerns many jobs at once.
namespace waybill {

WAYBILL_DECL asio::awaitable<void> sqlite_store::put_hold(hold what) {
    on_database work = [what = std::move(what)](detail::database& db) { db.put_hold(what); };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::remove_hold(selection which) {
    on_database work = [which = std::move(which)](detail::database& db) { db.remove_hold(which); };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::put_limit(bandwidth_limit what) {
    on_database work = [what = std::move(what)](detail::database& db) { db.put_limit(what); };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::remove_limit(limit_scope what) {
    on_database work = [what = std::move(what)](detail::database& db) { db.remove_limit(what); };
    co_await write(std::move(work));
}

}  // namespace waybill
