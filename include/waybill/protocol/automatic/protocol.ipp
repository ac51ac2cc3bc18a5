// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/http/form.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/automatic/protocol.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/put/protocol.hpp>
#include <waybill/protocol/shared/independent_items.hpp>
#include <waybill/protocol/shared/target.hpp>
#include <waybill/protocol/shared/upload_fields.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL endpoint_offer offered_by(const response& got) {
    if (got.header("Tus-Resumable") || got.header("Tus-Version")) {
        return {"tus"};
    }
    const auto limits = parse_upload_limit(got.headers);
    return limits ? endpoint_offer{"resumable", limits->min_size.value_or(0)} : endpoint_offer{"plain"};
}

[[nodiscard]] inline std::string endpoint_of(const session& job) {
    const std::string& target = job.spec().url;
    return target.substr(0, target.find('?'));
}

/// An upload is an item, or the form with all of them, which is larger than these.
[[nodiscard]] inline std::uint64_t smallest_upload(const session& job, bool by_name) {
    std::uint64_t least = job.spec().size;
    for (std::size_t i = 0; by_name && i < job.items().size(); ++i) {
        least = std::min(least, job.items()[i].spec.size);
    }
    return least;
}

WAYBILL_DECL automatic_protocol::automatic_protocol(const protocol_spec& spec, registry known,
                                                    std::shared_ptr<endpoint_memory> memory)
    : spec_(spec), known_(std::move(known)), memory_(std::move(memory)) {
    for (const auto& [name, value] : spec_.settings) {
        const bool good = name == "chunk-size"   ? parse_decimal(value).has_value()
                          : name == "file-field" ? is_form_name(value)
                                                 : false;
        if (!good) {
            throw error(errc::invalid_setting, printable_excerpt(name + "=" + value, 128));
        }
    }
}

// A job that can be sent as plain requests can be sent by every protocol.
WAYBILL_DECL void automatic_protocol::check(const waybill::job& job) const {
    if (is_put_template(job.url())) {
        put_protocol(protocol_spec{"put", {}}).check(job);
    } else {
        require_no_independence(job);  // it may become a form
    }
}

/// Part of the job may be at the server already.
[[nodiscard]] inline bool is_begun(const session& job) {
    bool begun = job.in_doubt() || job.find_checkpoint() != nullptr;
    for (std::size_t i = 0; i < job.items().size(); ++i) {
        begun = begun || job.find_checkpoint(i) != nullptr || job.items()[i].state.status == item_status::completed;
    }
    return begun;
}

WAYBILL_DECL asio::awaitable<void> automatic_protocol::restore(session& job) {
    std::string name = job.state().negotiated_protocol;
    if (name.empty()) {
        name = co_await ask(job);
        // Commit the choice before the first byte is sent. After a crash, a different choice could deliver the same
        // data a second time.
        std::string chosen = name;
        co_await job.save_protocol(std::move(chosen));
    }
    negotiated_ = known_.make(settings_for(job, name));
    co_await negotiated_->restore(job);
}

/// The endpoint does not know the protocol, and no upload was created there.
[[nodiscard]] inline bool is_outdated(const failure& why, const session& job) {
    const bool unknown = why.code() == make_http_error(404) || why.code() == make_http_error(405) ||
                         why.code() == make_http_error(501) || why.code() == errc::not_offered;
    const std::string& negotiated = job.state().negotiated_protocol;
    const bool by_upload = negotiated == "tus" || negotiated == "resumable";
    return by_upload && unknown && !is_begun(job) && why.what_to_do() == disposition::permanent;
}

WAYBILL_DECL asio::awaitable<void> automatic_protocol::upload(session& job) {
    bool outdated = false;
    try {
        co_await negotiated_->upload(job);
    } catch (const failure& f) {
        outdated = !asked_ && is_outdated(f, job);
        if (!outdated) {
            throw;
        }
    }
    if (outdated) {
        memory_->erase(endpoint_of(job));
        std::string none;
        co_await job.save_protocol(std::move(none));
        co_await restore(job);
        co_await negotiated_->upload(job);
    }
}

WAYBILL_DECL asio::awaitable<void> automatic_protocol::finalize(session& job) {
    co_await negotiated_->finalize(job);
}

/// The same for the error that ended the previous attempt. No upload was created yet, so the query was the cause.
[[nodiscard]] inline bool is_disrupted_by(const stored_error& last) {
    response got;
    got.status = last.details.http_status;
    got.failure = got.status == 0 ? last.code : std::error_code();
    return is_disrupted_by(got);
}

/// A gateway responds instead of the server, and has done so for long: perhaps it cannot process OPTIONS, but could the
/// upload.
[[nodiscard]] inline bool is_kept_by_gateway(const response& r, const job_state& past) {
    constexpr int patience = 9;  // tries in a row, some minutes
    const auto from_gateway = [](std::error_code code) {
        return code == make_http_error(502) || code == make_http_error(503) || code == make_http_error(504);
    };
    return from_gateway(make_http_error(r.status)) && !r.header("Retry-After") && past.troubles >= patience &&
           from_gateway(past.error.code);
}

/// The name of the protocol to use.
WAYBILL_DECL asio::awaitable<std::string> automatic_protocol::ask(session& job) {
    const job_spec& spec = job.spec();
    const std::string target = spec.url.find("{name}") == std::string::npos
                                   ? spec.url
                                   : url::fill_name(spec.url, job.items().front().spec.name);
    const std::string endpoint = endpoint_of(job);
    const bool by_name = is_put_template(spec.url);
    endpoint_offer offered = memory_->find(endpoint, job.now());
    if (offered.protocol.empty()) {
        request asked;
        asked.method = "OPTIONS";
        asked.url = target;
        asked.idempotent = true;
        asked.conditional = false;
        const response got = co_await job.send(std::move(asked));
        asked_ = true;
        const verdict v = judge(got, true);
        const bool refused = v.what == disposition::permanent && got.status != 0;
        // The memory ends with the process. For a program that ends after each try, the job's record is used.
        const bool broken = is_disrupted_by(got);
        const bool often = broken && memory_->note_disrupted(endpoint);
        const job_state& past = job.state();
        const bool before = past.attempt > endpoint_memory::accidents && is_disrupted_by(past.error);
        // A form is not sent to find out: a gateway's response to it would leave its outcome unknown.
        const bool in_vain = (broken && (often || before)) || (by_name && is_kept_by_gateway(got, past));
        if (!refused && !in_vain) {
            job.require(got);
        }
        offered = v.accepted ? offered_by(got) : endpoint_offer{"plain"};
        if (!in_vain) {  // the next job queries once more: it may have been repaired
            memory_->remember(endpoint, offered, job.now());
        }
    }
    if (offered.protocol == "tus" && spec.fields.empty() && known_.contains("tus")) {
        co_return "tus";
    }
    if (offered.protocol == "resumable" && known_.contains("resumable") &&
        smallest_upload(job, by_name) >= offered.least) {
        co_return "resumable";
    }
    co_return by_name ? "put" : "multipart";
}

/// A function of the job alone: after a restart it must return the same.
WAYBILL_DECL protocol_spec automatic_protocol::settings_for(const session& job, const std::string& name) const {
    protocol_spec chosen{name, {}};
    const bool by_upload = name == "resumable" || name == "tus";
    const bool form = name == "multipart" || (name == "resumable" && !is_put_template(job.spec().url));
    for (const auto& [setting, value] : spec_.settings) {
        if (setting == "file-field" ? form : by_upload) {
            chosen.settings.emplace_back(setting, value);
        }
    }
    if (name == "resumable") {
        chosen.settings.emplace_back(form ? "form" : "method", form ? "1" : "PUT");
    }
    return chosen;
}

}  // namespace waybill::detail
