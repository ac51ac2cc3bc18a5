// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/compose.ipp>
#include <waybill/engine/engine.hpp>
#include <waybill/uploader.hpp>

#include <asio/strand.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill {
namespace detail {

#if !defined(WAYBILL_HEADER_ONLY)
template asio::awaitable<void> await_on(const strand&, task_of<void>, asio::use_awaitable_t<>);
template asio::awaitable<job_id> await_on(const strand&, task_of<job_id>, asio::use_awaitable_t<>);
template asio::awaitable<std::vector<job_id>> await_on(const strand&, task_of<std::vector<job_id>>,
                                                       asio::use_awaitable_t<>);
template asio::awaitable<job_snapshot> await_on(const strand&, task_of<job_snapshot>, asio::use_awaitable_t<>);
template asio::awaitable<std::vector<job_snapshot>> await_on(const strand&, task_of<std::vector<job_snapshot>>,
                                                             asio::use_awaitable_t<>);
template asio::awaitable<std::vector<bandwidth_limit>> await_on(const strand&, task_of<std::vector<bandwidth_limit>>,
                                                                asio::use_awaitable_t<>);
template task task_into(std::vector<bandwidth_limit>&, task_of<std::vector<bandwidth_limit>>);
template asio::awaitable<std::vector<closed_gate>> await_on(const strand&, task_of<std::vector<closed_gate>>,
                                                            asio::use_awaitable_t<>);
template task task_into(std::vector<closed_gate>&, task_of<std::vector<closed_gate>>);
template task task_into(job_id&, task_of<job_id>);
template task task_into(std::vector<job_id>&, task_of<std::vector<job_id>>);
template task task_into(job_snapshot&, task_of<job_snapshot>);
template task task_into(std::vector<job_snapshot>&, task_of<std::vector<job_snapshot>>);
#endif

inline asio::awaitable<job_id> enqueue_one(std::shared_ptr<engine> e, job what) {
    std::vector<job> jobs;
    jobs.push_back(std::move(what));
    std::vector<job_id> ids = co_await e->enqueue(std::move(jobs));
    co_return std::move(ids.front());
}

WAYBILL_DECL uploader_base::uploader_base(const asio::any_io_executor& executor, options how)
    : home_(asio::make_strand(executor)), engine_(make_engine(home_, std::move(how))) {}

WAYBILL_DECL uploader_base::~uploader_base() {
    if (engine_ && engine_->is_inherited()) {
        leave_alone(engine_);  // its thread, its files and its connections belong to the parent
    } else if (engine_) {
        spawn(home_, [last = engine_] { return last->stop(); });
    }
}

WAYBILL_DECL const std::shared_ptr<detail::engine>& uploader_base::own_engine() const {
    if (!engine_) {
        throw error(errc::stopped, "moved from");
    }
    if (engine_->is_inherited()) {
        throw error(errc::forked);
    }
    return engine_;
}

WAYBILL_DECL feed uploader_base::snapshots() const {
    return {home_.get_inner_executor(), own_engine()};
}

WAYBILL_DECL std::shared_ptr<const snapshot> uploader_base::latest() const noexcept {
    return engine_ ? engine_->hub().latest() : nullptr;
}

WAYBILL_DECL task_of<void> uploader_base::run() const {
    return [e = own_engine()] { return e->run(); };
}

// A task is moved on its way and run once. Where it is kept to be started again, as by `deferred`, each start has a
// copy.
WAYBILL_DECL task_of<job_id> uploader_base::enqueue(job what) const {
    return [e = own_engine(), one = std::move(what)]() mutable { return enqueue_one(e, std::move(one)); };
}

WAYBILL_DECL task_of<std::vector<job_id>> uploader_base::enqueue(std::vector<job> jobs) const {
    return [e = own_engine(), all = std::move(jobs)]() mutable { return e->enqueue(std::move(all)); };
}

WAYBILL_DECL task_of<void> uploader_base::cancel(job_id id) const {
    return [e = own_engine(), id = std::move(id)] { return e->cancel(id); };
}

WAYBILL_DECL task_of<void> uploader_base::retry(job_id id) const {
    return [e = own_engine(), id = std::move(id)] { return e->retry(id); };
}

WAYBILL_DECL task_of<void> uploader_base::resolve(job_id id, resolution what) const {
    return [e = own_engine(), id = std::move(id), what] { return e->resolve(id, what); };
}

WAYBILL_DECL task_of<void> uploader_base::remove(job_id id) const {
    return [e = own_engine(), id = std::move(id)] { return e->remove(id); };
}

WAYBILL_DECL task_of<void> uploader_base::pause_job(job_id id, pause_options how) const {
    return [e = own_engine(), id = std::move(id), how = std::move(how)] { return e->pause_job(id, how); };
}

WAYBILL_DECL task_of<void> uploader_base::resume_job(job_id id) const {
    return [e = own_engine(), id = std::move(id)] { return e->resume_job(id); };
}

WAYBILL_DECL task_of<void> uploader_base::limit(limit_scope what, std::string rates) const {
    return [e = own_engine(), what = std::move(what), rates = std::move(rates)] { return e->limit(what, rates); };
}

WAYBILL_DECL task_of<std::vector<bandwidth_limit>> uploader_base::limits() const {
    return [e = own_engine()] { return e->limits(); };
}

WAYBILL_DECL task_of<void> uploader_base::pause_all(selection which, pause_options how) const {
    return [e = own_engine(), which = std::move(which), how = std::move(how)] { return e->pause_all(which, how); };
}

WAYBILL_DECL task_of<void> uploader_base::resume_all(selection which) const {
    return [e = own_engine(), which = std::move(which)] { return e->resume_all(which); };
}

WAYBILL_DECL task_of<job_snapshot> uploader_base::wait(job_id id, bool until_final) const {
    return [e = own_engine(), id = std::move(id), until_final] { return e->wait(id, until_final); };
}

WAYBILL_DECL task_of<std::vector<closed_gate>> uploader_base::explain(job_id id) const {
    return [e = own_engine(), id = std::move(id)] { return e->explain(id); };
}

WAYBILL_DECL task_of<job_snapshot> uploader_base::find(job_id id) const {
    return [e = own_engine(), id = std::move(id)] { return e->find(id); };
}

WAYBILL_DECL task_of<std::vector<job_snapshot>> uploader_base::list(std::optional<job_seq> after,
                                                                    std::size_t most) const {
    return [e = own_engine(), after, most] { return e->list(after, most); };
}

WAYBILL_DECL task_of<void> uploader_base::stop() const {
    return [e = own_engine()] { return e->stop(); };
}

}  // namespace detail
}  // namespace waybill
