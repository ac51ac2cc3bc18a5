// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/engine/queue/scheduler.hpp>
#include <waybill/model/ids.hpp>

namespace waybill::detail {

/// Keeps a job from being started while something else changes it.
class held_job {
public:
    held_job(scheduler& queue, alarm& wake, job_seq seq) : queue_(queue), alarm_(wake), seq_(seq) { queue_.hold(seq_); }
    held_job(const held_job&) = delete;
    held_job& operator=(const held_job&) = delete;
    ~held_job() {
        queue_.release(seq_);
        alarm_.wake();  // it may be its turn
    }

private:
    scheduler& queue_;
    alarm& alarm_;
    job_seq seq_;
};

}  // namespace waybill::detail
