// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/fwd.hpp>
#include <waybill/http/header.hpp>
#include <waybill/model/fingerprint.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/retry_policy.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/protocol/factory.hpp>
#include <waybill/store/store_options.hpp>
#include <waybill/transport/bandwidth_limits.hpp>
#include <waybill/transport/curl_options.hpp>
#include <waybill/transport/request_limits.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace waybill {

/// Returns the authentication headers of a request. Called for every request, so that secrets are never stored.
///
/// Called on the uploader's strand with the request's origin, `scheme://host:port`; it must return headers only for
/// origins the secret is meant for, and must not block. While it throws, or returns headers that cannot be sent, jobs
/// wait for their credentials (`wait_reason::credentials`) and show it.
using credentials_provider = std::function<header_list(const std::string& origin)>;

/// Asks the app's backend whether a job arrived. A coroutine on the uploader's strand; an exception counts as
/// `verification::unknown`. If items are sent one by one, the question is about the item `about.error.item`; for whole
/// jobs this is `checkpoint::whole_job`.
using verifier = std::function<asio::awaitable<verification>(const job_snapshot& about)>;

/// Your own parts in place of the built-in ones; null: built in. They are used on the uploader's strand and must not be
/// shared with anything else.
struct replaced_parts {
    std::shared_ptr<waybill::store> store = nullptr;
    std::shared_ptr<waybill::transport> transport = nullptr;
    std::shared_ptr<source_opener> sources = nullptr;
    std::shared_ptr<waybill::clock> clock = nullptr;
    std::shared_ptr<random_source> random = nullptr;
};

/// All options of an uploader. Only `store.path` has no default. An aggregate, so that designated initialisers work:
/// `{.store = {.path = "uploads.db"}, .max_concurrent_jobs = 8}`.
struct options {
    store_options store = {};
    curl_options http = {};
    /// Only files in this folder and below it are uploaded; this includes jobs that the store already has
    /// (`errc::source_outside`). Empty: no restriction. For apps that accept file names from others.
    std::string file_root = {};

    /// Jobs of different lanes that may run concurrently. Jobs of one lane always run one at a time.
    std::size_t max_concurrent_jobs = 4;
    retry_policy retry = {};
    request_limits limits = {};
    /// How fast bodies are sent; `async_limit` changes it later.
    bandwidth_limits bandwidth = {};

    credentials_provider credentials = {};
    /// By the names given to jobs with `job::verify_with`. A job whose hook is missing here is treated as if it had
    /// none.
    std::map<std::string, verifier> verifiers = {};
    /// Your own protocols, and settings of protocols that hold for the whole program.
    protocol_set protocols = {};

    /// The header that lets a server recognise a repeated request; sent with every request that is not idempotent, the
    /// same for all attempts of an epoch. Empty: none is sent. Quoted as the IETF draft
    /// (draft-ietf-httpapi-idempotency-key-header) specifies it; some services want the bare key.
    std::string key_header = "Idempotency-Key";
    bool key_quoted = true;

    /// How many bytes of each file are read when its job is accepted. They decide whether the file is still the same
    /// when only attributes differ that a mount, a link or a change of permissions alters.
    fingerprint_scope fingerprint = fingerprint_scope::sampled;
    /// The maximum number of jobs a snapshot lists, in addition to running ones; it always counts all.
    std::size_t snapshot_jobs = 10'000;
    /// While data is being transferred, a snapshot is published at this interval. State changes do not wait for it.
    std::chrono::milliseconds progress_interval{100};
    /// While data is being transferred, the confirmed bytes and completed items of all running jobs are committed
    /// together at this interval: after a crash, no more than that is queried or sent again. From 20 ms to 1 s.
    std::chrono::milliseconds flush_interval{100};
    /// Finished jobs are deleted after this time: at startup, and at most hourly while there is work.
    std::chrono::hours keep_finished{24 * 30};

    replaced_parts replace = {};
};

}  // namespace waybill
