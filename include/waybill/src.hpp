// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The whole library's definitions, for exactly one source file of a program that defines
/// WAYBILL_SEPARATE_COMPILATION.

#if !defined(WAYBILL_SEPARATE_COMPILATION)
#error \
    "<waybill/src.hpp> is for programs that define WAYBILL_SEPARATE_COMPILATION; otherwise the headers have everything"
#endif

#include <waybill/background_uploader.ipp>
#include <waybill/body/body_digest.ipp>
#include <waybill/body/hashing_source.ipp>
#include <waybill/clock.ipp>
#include <waybill/detail/digest.ipp>
#include <waybill/detail/erased.ipp>
#include <waybill/detail/event.ipp>
#include <waybill/detail/in_parallel.ipp>
#include <waybill/detail/operation.ipp>
#include <waybill/detail/worker.ipp>
#include <waybill/engine/accept/acceptance.ipp>
#include <waybill/engine/accept/enqueue.ipp>
#include <waybill/engine/accept/new_epoch.ipp>
#include <waybill/engine/commands.ipp>
#include <waybill/engine/engine.ipp>
#include <waybill/engine/engine_base.ipp>
#include <waybill/engine/housekeeping.ipp>
#include <waybill/engine/ledger.ipp>
#include <waybill/engine/pausing.ipp>
#include <waybill/engine/queue/placing.ipp>
#include <waybill/engine/queue/scheduler.ipp>
#include <waybill/engine/run/attempt.ipp>
#include <waybill/engine/run/attempt_files.ipp>
#include <waybill/engine/run/attempt_send.ipp>
#include <waybill/engine/run/cleaner.ipp>
#include <waybill/engine/run/pipeline.ipp>
#include <waybill/engine/run/runner.ipp>
#include <waybill/engine/run/runner_doubt.ipp>
#include <waybill/engine/run/runner_host.ipp>
#include <waybill/engine/run/running_jobs.ipp>
#include <waybill/engine/run/sender.ipp>
#include <waybill/engine/run/write_behind.ipp>
#include <waybill/engine/show/engine_show.ipp>
#include <waybill/engine/show/filler.ipp>
#include <waybill/engine/show/live_snapshot.ipp>
#include <waybill/engine/show/observer_hub.ipp>
#include <waybill/engine/show/queries.ipp>
#include <waybill/error.ipp>
#include <waybill/feed.ipp>
#include <waybill/http/structured_fields.ipp>
#include <waybill/protocol/automatic/protocol.ipp>
#include <waybill/protocol/components.ipp>
#include <waybill/protocol/multipart/protocol.ipp>
#include <waybill/protocol/put/protocol.ipp>
#include <waybill/protocol/resumable/component.ipp>
#include <waybill/protocol/resumable/creation.ipp>
#include <waybill/protocol/resumable/protocol.ipp>
#include <waybill/protocol/resumable/recovery.ipp>
#include <waybill/protocol/resumable/requests.ipp>
#include <waybill/protocol/resumable/upload.ipp>
#include <waybill/protocol/s3/sigv4.ipp>
#include <waybill/protocol/s3_credentials.ipp>
#include <waybill/protocol/shared/form.ipp>
#include <waybill/protocol/shared/target.ipp>
#include <waybill/protocol/shared/upload_fields.ipp>
#include <waybill/protocol/tus/component.ipp>
#include <waybill/protocol/tus/concatenation.ipp>
#include <waybill/protocol/tus/item.ipp>
#include <waybill/protocol/tus/protocol.ipp>
#include <waybill/protocol/tus/recovery.ipp>
#include <waybill/protocol/tus/requests.ipp>
#include <waybill/random.ipp>
#include <waybill/source/file_source.ipp>
#include <waybill/source/opened_file.ipp>
#include <waybill/store/detail/database.ipp>
#include <waybill/store/detail/database_open.ipp>
#include <waybill/store/detail/database_read.ipp>
#include <waybill/store/detail/database_remove.ipp>
#include <waybill/store/detail/database_write.ipp>
#include <waybill/store/sqlite_store.ipp>
#include <waybill/transport/curl_transport.ipp>
#include <waybill/transport/detail/curl_transfer.ipp>
#include <waybill/uploader.ipp>
#include <waybill/waybill.hpp>

#if defined(WAYBILL_HAS_S3)
#include <waybill/protocol/s3/completion.ipp>
#include <waybill/protocol/s3/component.ipp>
#include <waybill/protocol/s3/endpoint.ipp>
#include <waybill/protocol/s3/item.ipp>
#include <waybill/protocol/s3/object.ipp>
#include <waybill/protocol/s3/parts.ipp>
#include <waybill/protocol/s3/protocol.ipp>
#include <waybill/protocol/s3/sums.ipp>
#include <waybill/protocol/s3/xml.ipp>
#endif
