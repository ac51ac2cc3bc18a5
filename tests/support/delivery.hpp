// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/background_uploader.hpp>
#include <waybill/feed.hpp>

#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace waybill::test {

/// Options for a test: a store in `dir`, retries without long pauses, frequent pictures.
[[nodiscard]] inline options quick_options(const temp_dir& dir) {
    options how;
    how.store.path = dir / "store/queue.db";
    how.retry.base = std::chrono::milliseconds(1);
    how.retry.floor = std::chrono::milliseconds(1);
    how.retry.cap = std::chrono::milliseconds(20);
    how.retry.host_pause = std::chrono::milliseconds(20);
    how.retry.host_pause_cap = std::chrono::milliseconds(50);
    how.retry.credentials_pause = std::chrono::milliseconds(20);
    how.retry.credentials_pause_cap = std::chrono::milliseconds(50);
    how.retry.credentials_poll = std::chrono::milliseconds(10);
    how.progress_interval = std::chrono::milliseconds(10);
    return how;
}

/// The same, but whatever breaks is left alone for an hour.
[[nodiscard]] inline options patient_options(const temp_dir& dir) {
    options how = quick_options(dir);
    how.retry.base = how.retry.floor = how.retry.cap = std::chrono::hours(1);
    how.retry.prompt_bytes = std::numeric_limits<std::uint64_t>::max();
    return how;
}

/// A job's state in one line, for the text of a failed test.
[[nodiscard]] inline std::string describe(const job_snapshot& job) {
    std::string text = std::string(to_string(job.status)) + " (" + std::string(to_string(job.reason)) + "), attempt " +
                       std::to_string(job.attempt) + ", " + std::to_string(job.sent) + " of " +
                       std::to_string(job.size()) + " bytes sent";
    return job.error ? text + ", error: " + job.error.message() : text;
}

/// A background uploader, and waiting for what becomes of its jobs.
class delivery {
public:
    static constexpr std::chrono::seconds patience{30};

    explicit delivery(options how) : uploader_(std::make_unique<background_uploader>(std::move(how))) {}

    [[nodiscard]] uploader& up() { return uploader_->get(); }
    job_id enqueue(job what) { return uploader_->enqueue(std::move(what)); }

    /// Waits until a snapshot shows the job as `enough` wants it. Throws `std::runtime_error` with
    /// the job's last state when none does.
    job_snapshot wait_until(const job_id& id, const std::function<bool(const job_snapshot&)>& enough,
                            std::chrono::milliseconds most = patience) {
        const auto until = std::chrono::steady_clock::now() + most;
        feed news = up().snapshots();
        std::string last = "not listed";
        for (;;) {
            auto next = news.async_next(asio::use_future);
            if (next.wait_until(until) != std::future_status::ready) {
                throw std::runtime_error("job " + id.str() + " stays " + last);
            }
            const std::shared_ptr<const snapshot> shown = next.get();
            const auto job = shown ? shown->find(id) : nullptr;
            if (job && enough(*job)) {
                return *job;
            }
            last = job ? describe(*job) : last;
        }
    }

    /// Waits until the job is final or set aside.
    job_snapshot settled(const job_id& id) {
        return wait_until(id, [](const job_snapshot& j) { return j.terminal() || is_parked(j.status); });
    }
    /// Waits until the job is between two attempts, or has settled.
    job_snapshot waiting(const job_id& id) {
        return wait_until(id, [](const job_snapshot& j) {
            return j.status == status::waiting || j.terminal() || is_parked(j.status);
        });
    }

    /// Ends it in an orderly way; the next delivery on the same store continues.
    void stop() { uploader_.reset(); }

private:
    std::unique_ptr<background_uploader> uploader_;
};

}  // namespace waybill::test
