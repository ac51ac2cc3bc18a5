// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the golden stores hold: jobs in every state, as a killed process leaves them. A store of each format that was
// released is in tests/component/golden, and every later version opens it.

#include <waybill/protocol/tus/rules.hpp>
#include <waybill/store/sqlite_store.hpp>

#include "support/sample_store.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

inline constexpr const char* golden_file = "/golden/file";
inline const std::string golden_content = "the bytes of a file that was accepted long ago";  // NOLINT

/// A job of one item of bytes, by PUT.
inline new_job golden_job(const std::string& id, status now) {
    new_job made = sample_job(id, now);
    job_spec& s = made.job.spec;
    s.lane = "lane of " + id;
    s.origin = "http://server.test";
    s.url = "http://server.test/files/" + id;
    s.protocol = {"put", {{"method", "PUT"}}};
    s.fields.clear();
    s.verifier.clear();
    s.if_unknown = on_unknown::park;
    made.items.resize(1);
    item_spec& one = made.items[0].spec;
    one = {};
    one.kind = source_kind::bytes;
    one.data = "the bytes of " + id;
    one.size = s.size = one.data.size();
    one.name = id;
    one.content_type = "text/plain";
    s.item_count = 1;
    return made;
}

inline new_job golden_pending() {
    new_job made = golden_job("pending", status::pending);
    made.job.spec.url = "http://server.test/files/";
    made.job.spec.if_item_fails = on_item_failure::go_on;
    item_record& file = made.items.emplace_back();
    file.spec.path = golden_file;
    file.spec.size = golden_content.size();
    file.spec.identity = {1, 1, golden_content.size(), 3'000'000'007, 3'000'000'007};
    file.spec.append_only = true;
    file.spec.name = "a file";
    file.spec.content_type = "text/plain";
    made.job.spec.item_count = 2;
    made.job.spec.size += file.spec.size;
    return made;
}

inline new_job golden_waiting() {
    new_job made = golden_job("waiting", status::waiting);
    job_state& t = made.job.state;
    t.reason = wait_reason::backoff;
    t.attempt = 3;
    t.failures = 2;
    t.early_cuts = 1;
    t.troubles = 2;
    t.wait = std::chrono::seconds(5);
    t.began = std::chrono::seconds(1);
    t.refused_since = std::chrono::seconds(2);
    t.not_before = unix_millis(std::chrono::milliseconds(1'893'456'005'000));
    t.error = {make_http_error(503), {503, 0, "", "busy", "later"}, 0};
    return made;
}

/// A form whose response was lost.
inline new_job golden_unknown() {
    new_job made = golden_job("unknown_outcome", status::unknown_outcome);
    made.job.spec.protocol = {"multipart", {}};
    made.job.spec.url = "http://server.test/posts";
    made.job.spec.fields = {{"caption", "\xC4\xB0stanbul"}};
    made.job.state.attempt = 1;
    made.job.state.intent = intent(1, checkpoint::whole_job);
    made.job.state.error.code = errc::outcome_unknown;
    return made;
}

/// By tus, and the server has confirmed all of it.
inline new_job golden_tus() {
    new_job made = golden_job("tus", status::waiting);
    made.job.spec.protocol = {"auto", {}};
    made.job.state.negotiated_protocol = "tus";
    made.job.state.attempt = 1;
    made.items[0].spec.content = {fingerprint_scope::whole, "fedcba9876543210"};
    return made;
}

/// One that is over: `retired` is past all time that the tests let pass.
inline new_job golden_end(status how) {
    new_job made = golden_job(std::string(to_string(how)), how);
    made.job.state.attempt = 1;
    made.job.state.finished = unix_millis(std::chrono::milliseconds(1'893'456'009'000));
    made.job.state.retired = never_retired;
    if (how == status::completed) {
        made.items[0].state = {item_status::completed, made.items[0].spec.size, "\"etag\"", ""};
    } else {
        made.job.state.error.code = how == status::failed ? errc::file_changed : errc::canceled;
    }
    return made;
}

/// The job that has checkpoints, and the leftover of another one.
inline void fill_checkpoints(sample_store& store) {
    const auto seq = store.run<std::vector<std::optional<job_seq>>>([&] { return store->find({job_id("tus")}); });
    job_change change = step(store, seq.at(0).value(), status::waiting);
    detail::tus_state state;
    const std::uint64_t size = golden_tus().job.spec.size;
    state.parts = detail::cut_into_parts(size, 1);
    state.parts[0].url = "http://server.test/uploads/1";
    state.parts[0].offset = size;
    change.checkpoints.push_back({0, state.parts[0].url, size, detail::encode_tus_state(state), 1'900'000'000});
    leftover left;
    left.job = golden_tus().job.spec;
    left.job.protocol = {"tus", {}};
    left.reached = change.checkpoints[0];
    left.reached.resource = "http://server.test/uploads/2";
    left.since = unix_millis(std::chrono::milliseconds(1'893'456'000'123));
    change.leftovers.push_back(left);
    store.commit(change);
}

/// Fills an open store.
inline void fill_golden_store(sample_store& store) {
    new_job uploading = golden_job("uploading", status::uploading);
    uploading.job.state.attempt = 1;
    new_job finalizing = golden_job("finalizing", status::finalizing);
    finalizing.job.state.attempt = 1;
    finalizing.job.state.stage = stage::finalize;
    finalizing.items[0].state = {item_status::completed, finalizing.items[0].spec.size, "\"etag\"", ""};
    store.add({golden_pending(), uploading, finalizing, golden_waiting(), golden_job("paused", status::paused),
               golden_unknown(), golden_tus(), golden_end(status::completed), golden_end(status::failed),
               golden_end(status::canceled)});
    fill_checkpoints(store);
    store.put(hold{selection::lane("nobody's"), {{}, {}, "golden"}});
    store.put(bandwidth_limit{limit_scope::host("nobody.test"), "08:00,512K 18:00,off"});
}

}  // namespace waybill::test
