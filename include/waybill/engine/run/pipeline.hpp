// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/run/attempt.hpp>
#include <waybill/protocol/protocol.hpp>

namespace waybill::detail {

/// Runs one job: restore, upload, finalize. After a crash it is run again from the beginning and continues in the stage
/// where it was, because each stage checks what is already done.
///
/// Throws whatever a stage throws; the engine turns that into the job's next state.
WAYBILL_DECL asio::awaitable<void> run_pipeline(protocol& chosen, attempt& job);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/run/pipeline.ipp>
#endif
