// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/pipeline.hpp>
#include <waybill/model/record.hpp>

#include <utility>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> run_pipeline(protocol& speaks, attempt& job) {
    co_await speaks.restore(job);
    if (job.job().state.stage == stage::upload) {
        co_await speaks.upload(job);
        if (speaks.finalizes()) {
            job_state reached = job.job().state;
            reached.status = status::finalizing;
            reached.stage = stage::finalize;
            co_await job.commit(std::move(reached));
        }
    }
    co_await speaks.finalize(job);
}

}  // namespace waybill::detail
