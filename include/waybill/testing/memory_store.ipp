// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/event.hpp>
#include <waybill/store/apply.hpp>
#include <waybill/testing/memory_store.hpp>

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <memory>

namespace waybill::testing {

WAYBILL_DECL asio::awaitable<void> memory_store::turn() {
    co_await asio::post(executor_, asio::use_awaitable);
    if (failed_) {
        throw error(errc::store_failed, "memory");
    }
}

WAYBILL_DECL asio::awaitable<void> memory_store::read() {
    co_await turn();
    if (before_read) {
        fail_as_scripted(before_read);
    }
}

WAYBILL_DECL asio::awaitable<void> memory_store::write(std::function<void()> change) {
    if (disk_->owner != this) {
        throw failed_ ? error(errc::store_failed, "memory") : error(errc::stopped);
    }
    if (acknowledge_early) {
        // The injected bug: the caller continues while the change may still be lost.
        asio::post(executor_, [this, alive = std::weak_ptr(disk_), change = std::move(change)] {
            asio::post(executor_, [change, alive] {
                if (!alive.expired()) {
                    change();
                }
            });
        });
        co_return;
    }
    const unacknowledged counted(unacknowledged_);
    // Not two awaits: a cancellation between them would end one that has been written already.
    auto settled = std::make_shared<detail::event>(executor_);
    auto thrown = std::make_shared<std::exception_ptr>();
    asio::post(executor_, [this, settled, thrown, change = std::move(change)] {
        try {
            perform(change);
        } catch (...) {
            *thrown = std::current_exception();
        }
        asio::post(executor_, [settled] { settled->set(); });
    });
    co_await settled->wait_uncancellable();
    if (*thrown) {
        std::rethrow_exception(*thrown);
    }
}

WAYBILL_DECL void memory_store::perform(const std::function<void()>& change) {
    if (failed_) {
        throw error(errc::store_failed, "memory");
    }
    if (before_write) {
        fail_as_scripted(before_write);
    }
    change();
    ++disk_->commits;
}

WAYBILL_DECL void memory_store::fail_as_scripted(const std::function<void()>& hook) {
    try {
        hook();
    } catch (const error& e) {
        if (e.code() == errc::store_failed) {
            failed_ = true;
            let_go();
        }
        throw;
    }
}

WAYBILL_DECL loaded_job& memory_store::at(job_seq seq) {
    const auto found = disk_->jobs.find(seq);
    if (found == disk_->jobs.end()) {
        throw error(errc::unknown_job);
    }
    return found->second;
}

WAYBILL_DECL asio::awaitable<std::vector<added_job>> memory_store::add(
    std::shared_ptr<const std::vector<new_job>> jobs) {
    auto result = std::make_shared<std::vector<added_job>>();
    std::function<void()> change = [this, jobs, result] {
        for (const new_job& j : *jobs) {
            const auto known = seq_of(j.job.spec.id);
            if (!known && j.items.empty()) {
                throw error(errc::unknown_job, j.job.spec.id.str());
            }
            if (known && at(*known).job.spec.content != j.job.spec.content) {
                throw error(errc::duplicate_id, j.job.spec.id.str());
            }
        }
        for (const new_job& j : *jobs) {
            if (const auto known = seq_of(j.job.spec.id)) {
                result->push_back({*known, true});
                continue;
            }
            const auto seq = static_cast<job_seq>(++disk_->last_seq);
            loaded_job& whole = disk_->jobs[seq];
            whole.job = j.job;
            whole.job.seq = seq;
            whole.items = j.items;
            if (format > 1) {
                migrate(whole);
            }
            result->push_back({seq, false});
        }
    };
    try {
        co_await write(std::move(change));
    } catch (const error&) {
        for (std::size_t i = 0; count_refused && i < jobs->size(); ++i) {
            disk_->miscounted[status::pending].jobs += 1;
            disk_->miscounted[status::pending].bytes += (*jobs)[i].job.spec.size;
        }
        throw;
    }
    co_return *result;
}

WAYBILL_DECL asio::awaitable<void> memory_store::commit(job_change change) {
    const job_change kept = write_refused ? change : job_change();
    std::function<void()> work = [this, change = std::move(change)] {
        apply(change);
        write_what_was_refused(change.seq);
    };
    try {
        co_await write(std::move(work));
    } catch (const error& e) {
        if (write_refused && e.code() == errc::store_full) {
            refused_[kept.seq] = {kept, 0};
        }
        throw;
    }
}

WAYBILL_DECL void memory_store::write_what_was_refused(job_seq seq) {
    const auto found = refused_.find(seq);
    if (found == refused_.end() || ++found->second.second < 2) {
        return;
    }
    const job_change& refused = found->second.first;
    loaded_job& whole = at(seq);
    if (whole.job.state.status == refused.to.status) {  // else the next change would be impossible
        detail::apply(refused, whole);
    }
    refused_.erase(found);
}

WAYBILL_DECL void memory_store::apply(const job_change& change) {
    loaded_job& whole = at(change.seq);
    detail::require_possible(change);
    if (whole.job.state.status != change.from) {
        throw error(errc::not_allowed, "the job is " + std::string(to_string(whole.job.state.status)));
    }
    detail::apply(change, whole);
    if (drop_unknown) {
        whole.job.state.unknown.clear();
    }
    for (const leftover& l : change.leftovers) {
        keep(l);
    }
}

WAYBILL_DECL asio::awaitable<totals> memory_store::quarantine(job_seq seq) {
    auto difference = std::make_shared<totals>();
    std::function<void()> change = [this, seq, difference] {
        loaded_job& whole = at(seq);
        totals::row& before = (*difference)[whole.job.state.status];
        before.jobs -= 1;
        before.bytes -= whole.job.spec.size;
        totals::row& after = (*difference)[status::failed];
        after.jobs += 1;
        after.bytes += whole.job.spec.size;
        whole.job.state = {};
        whole.job.state.status = status::failed;
        whole.job.state.error.code = errc::record_damaged;
        whole.job.state.finished = disk_->time.wall;
        whole.job.state.retired = never_retired;
    };
    co_await write(std::move(change));
    co_return *difference;
}

WAYBILL_DECL void memory_store::keep(const leftover& what) {
    leftover& kept = disk_->leftovers[++disk_->last_leftover];
    kept = what;
    kept.id = disk_->last_leftover;
}

WAYBILL_DECL asio::awaitable<void> memory_store::remove(job_seq seq, std::vector<leftover> leftovers) {
    std::function<void()> change = [this, seq, leftovers = std::move(leftovers)] {
        if (!is_terminal(at(seq).job.state.status)) {
            throw error(errc::not_allowed, "the job is not finished");
        }
        disk_->jobs.erase(seq);
        for (const leftover& l : leftovers) {
            keep(l);
        }
    };
    co_await write(std::move(change));
}

WAYBILL_DECL asio::awaitable<std::vector<removed_job>> memory_store::remove_finished(std::chrono::milliseconds before,
                                                                                     unix_millis now) {
    co_await read();
    std::vector<removed_job> gone;
    for (const auto& [seq, whole] : disk_->jobs) {
        if (is_terminal(whole.job.state.status) && whole.job.state.retired < before) {
            gone.push_back({seq, whole.job.state.status, whole.job.spec.size, whole.damaged});
            if (whole.damaged) {
                continue;
            }
            for (const checkpoint& c : whole.checkpoints) {
                keep(leftover_of(whole.job, c, now));
            }
        }
    }
    for (const removed_job& one : gone) {
        if (!one.damaged) {
            disk_->jobs.erase(one.seq);
        }
    }
    co_return gone;
}

WAYBILL_DECL asio::awaitable<void> memory_store::postpone_leftover(leftover what) {
    std::function<void()> change = [this, what = std::move(what)] { disk_->leftovers.at(what.id) = what; };
    co_await write(std::move(change));
}

WAYBILL_DECL asio::awaitable<void> memory_store::remove_leftover(std::int64_t id) {
    std::function<void()> change = [this, id] { disk_->leftovers.erase(id); };
    co_await write(std::move(change));
}

WAYBILL_DECL asio::awaitable<void> memory_store::close() {
    co_await asio::post(executor_, asio::use_awaitable);
    let_go();
}

}  // namespace waybill::testing
