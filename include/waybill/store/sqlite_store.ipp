// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/fork_gate.hpp>
#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/sqlite_error.hpp>
#include <waybill/store/sqlite_store.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace waybill {

WAYBILL_DECL sqlite_store::sqlite_store(const detail::strand& home, store_options options,
                                        std::span<const detail::store_format> formats)
    : options_(std::move(options)), formats_(formats), worker_(std::make_unique<detail::worker>(home)) {}

WAYBILL_DECL sqlite_store::~sqlite_store() {
    if (worker_->is_inherited()) {
        detail::leave_alone(std::shared_ptr<detail::database>(std::move(database_)));  // closing it would write
    }
}

WAYBILL_DECL asio::awaitable<store_contents> sqlite_store::open() {
    std::function<store_contents()> work = [this] {
        const detail::fork_gate closed;
        database_.reset();
        try {
            database_ = std::make_unique<detail::database>(options_, formats_);
            store_contents found = database_->contents();
            failed_ = false;
            note_time(found.time);
            return found;
        } catch (const SQLite::Exception&) {
            database_.reset();
            detail::rethrow_as_store_error(options_.path);
        }
    };
    co_return co_await worker_->run(std::move(work));
}

WAYBILL_DECL asio::awaitable<std::vector<added_job>> sqlite_store::add(
    std::shared_ptr<const std::vector<new_job>> jobs) {
    auto added = std::make_shared<std::vector<added_job>>();
    on_database work = [jobs = std::move(jobs), added](detail::database& db) { *added = db.add(*jobs); };
    co_await write(std::move(work), true);
    co_return std::move(*added);
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::commit(job_change change) {
    on_database work = [change = std::move(change)](detail::database& db) { db.apply(change); };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<totals> sqlite_store::quarantine(job_seq seq) {
    auto difference = std::make_shared<totals>();
    on_database work = [seq, difference](detail::database& db) { *difference = db.quarantine(seq); };
    co_await write(std::move(work));
    co_return *difference;
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::remove(job_seq seq, std::vector<leftover> leftovers) {
    on_database work = [seq, leftovers = std::move(leftovers)](detail::database& db) {
        db.remove(seq);
        for (const leftover& l : leftovers) {
            db.insert_leftover(l);
        }
    };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<std::vector<removed_job>> sqlite_store::remove_finished(std::chrono::milliseconds before,
                                                                                     unix_millis now) {
    auto gone = std::make_shared<std::vector<removed_job>>();
    on_database work = [before, now, gone](detail::database& db) { *gone = db.remove_finished(before, now); };
    co_await write(std::move(work));
    co_return std::move(*gone);
}

WAYBILL_DECL asio::awaitable<std::optional<loaded_job>> sqlite_store::load(job_seq seq) {
    auto found = std::make_shared<std::optional<loaded_job>>();
    on_database work = [seq, found](detail::database& db) { *found = db.load(seq); };
    co_await read(std::move(work));
    co_return std::move(*found);
}

WAYBILL_DECL asio::awaitable<std::vector<std::optional<job_seq>>> sqlite_store::find(std::vector<job_id> ids) {
    auto found = std::make_shared<std::vector<std::optional<job_seq>>>();
    on_database work = [ids = std::move(ids), found](detail::database& db) {
        found->clear();
        for (const job_id& id : ids) {
            found->push_back(db.find(id));
        }
    };
    co_await read(std::move(work));
    co_return std::move(*found);
}

WAYBILL_DECL asio::awaitable<std::vector<queued_job>> sqlite_store::lane(std::string name, std::string origin,
                                                                         job_seq after, std::size_t most) {
    auto found = std::make_shared<std::vector<queued_job>>();
    on_database work = [name = std::move(name), origin = std::move(origin), after, most, found](detail::database& db) {
        *found = db.lane(name, origin, after, most);
    };
    co_await read(std::move(work));
    co_return std::move(*found);
}

WAYBILL_DECL asio::awaitable<std::vector<loaded_job>> sqlite_store::list(listing which, std::optional<job_record> after,
                                                                         std::size_t most) {
    auto found = std::make_shared<std::vector<loaded_job>>();
    on_database work = [which, after = std::move(after), most, found](detail::database& db) {
        *found = db.list(which, after, most);
    };
    co_await read(std::move(work));
    co_return std::move(*found);
}

WAYBILL_DECL asio::awaitable<std::optional<leftover>> sqlite_store::next_leftover() {
    auto found = std::make_shared<std::optional<leftover>>();
    on_database work = [found](detail::database& db) { *found = db.next_leftover(); };
    co_await read(std::move(work));
    co_return std::move(*found);
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::postpone_leftover(leftover what) {
    on_database work = [what = std::move(what)](detail::database& db) { db.postpone(what); };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::remove_leftover(std::int64_t id) {
    on_database work = [id](detail::database& db) { db.remove_leftover(id); };
    co_await write(std::move(work));
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::close() {
    std::function<void()> work = [this] {
        const detail::fork_gate closed;
        if (const std::unique_ptr<detail::database> last = std::move(database_)) {
            last->note_time(noted_time());
            last->write_back();
        }
    };
    co_await worker_->run_void(std::move(work));
}

WAYBILL_DECL void sqlite_store::note_time(const store_time& now) {
    const std::lock_guard lock(mutex_);
    time_ = now;
}

WAYBILL_DECL store_time sqlite_store::noted_time() {
    const std::lock_guard lock(mutex_);
    return time_;
}

WAYBILL_DECL detail::database& sqlite_store::opened() const {
    if (!database_) {
        throw failed_ ? error(errc::store_failed, options_.path) : error(errc::stopped);
    }
    return *database_;
}

WAYBILL_DECL asio::awaitable<void> sqlite_store::read(on_database work) {
    std::function<void()> guarded = [this, work = std::move(work)] {
        const detail::fork_gate closed;
        try {
            try {
                work(opened());
            } catch (const SQLite::Exception&) {
                detail::rethrow_as_store_error(options_.path);
            }
        } catch (...) {
            close_if_broken(std::current_exception());
            throw;
        }
    };
    co_await worker_->run_void(std::move(guarded));
}

// Group commit: the thread takes all changes that wait. While it syncs them, the next gather.
WAYBILL_DECL asio::awaitable<void> sqlite_store::write(on_database work, bool adds) {
    auto pending = std::make_shared<detail::ticket>();
    detail::database_change change;
    change.adds = adds;
    change.apply = [this, work = std::move(work)] { work(opened()); };
    change.settled = [pending, door = worker_->door()](std::exception_ptr thrown) {
        detail::worker::deliver(*door, pending, std::move(thrown));
    };
    submit(std::move(change));
    co_await worker_->settled(std::move(pending));
}

WAYBILL_DECL void sqlite_store::submit(detail::database_change change) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(change));
    if (waiting_.size() == 1) {
        try {
            worker_->post([this] { drain(); });
        } catch (...) {
            waiting_.clear();  // or the next would wait for a thread that was never notified
            throw;
        }
    }
}

WAYBILL_DECL void sqlite_store::drain() {
    const detail::fork_gate closed;
    std::vector<detail::database_change> group;
    {
        const std::lock_guard lock(mutex_);
        group.swap(waiting_);
    }
    std::vector<detail::database_change> refused;
    if (database_) {
        database_->note_time(noted_time());
        try {
            close_if_broken(transact(group, refused));
        } catch (...) {  // no memory, before anything was started
            for (detail::database_change& change : group) {
                change.outcome = std::current_exception();
            }
        }
    } else {
        for (detail::database_change& change : group) {
            change.outcome =
                std::make_exception_ptr(failed_ ? error(errc::store_failed, options_.path) : error(errc::stopped));
        }
    }
    for (const auto* const all : {&refused, &group}) {
        for (const detail::database_change& change : *all) {
            change.settled(change.outcome);
        }
    }
}

// On a full disk the reserve is for the outcome of accepted jobs; nothing new is accepted before it is restored.
WAYBILL_DECL std::exception_ptr sqlite_store::transact(std::vector<detail::database_change>& group,
                                                       std::vector<detail::database_change>& refused) {
    const auto refuse_new = [&] {
        const auto first = std::stable_partition(group.begin(), group.end(), [](const auto& c) { return !c.adds; });
        for (auto one = first; one != group.end(); ++one) {
            one->outcome = std::make_exception_ptr(error(errc::store_full, options_.path));
            refused.push_back(std::move(*one));
        }
        group.erase(first, group.end());
    };
    if (!database_->take_reserve()) {
        refuse_new();
    }
    const std::exception_ptr failed = database_->transact(group);
    try {
        if (failed) {
            std::rethrow_exception(failed);
        }
        return nullptr;
    } catch (const error& e) {
        if (e.code() != errc::store_full) {
            return failed;
        }
    } catch (...) {
        return failed;
    }
    refuse_new();
    database_->make_room();
    return group.empty() ? nullptr : database_->transact(group);
}

// A sync that failed may have lost what the next one seems to save: the kernel considers the pages clean (fsync(2),
// "EIO"). Closing writes back what was committed before, into pages that are synced again; whether that worked is seen
// when the store is reopened.
WAYBILL_DECL void sqlite_store::close_if_broken(const std::exception_ptr& thrown) noexcept {
    try {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } catch (const error& e) {
        if (e.code() == errc::store_failed) {
            failed_ = true;
            database_.reset();
        }
    } catch (...) {
    }
}

}  // namespace waybill
