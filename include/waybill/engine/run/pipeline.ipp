// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/pipeline.hpp>
#include <waybill/model/record.hpp>

#include <utility>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> run_pipeline(protocol& chosen, attempt& job) {
    co_await chosen.restore(job);
    if (job.job().state.stage == stage::upload) {
        co_await chosen.upload(job);
        if (chosen.finalizes()) {
            job_state reached = job.job().state;
            reached.status = status::finalizing;
            reached.stage = stage::finalize;
            co_await job.commit(std::move(reached));
        }
    }
    co_await chosen.finalize(job);
}

}  // namespace waybill::detail
