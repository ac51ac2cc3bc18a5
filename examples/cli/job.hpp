// SPDX-License-Identifier: BSL-1.0
#pragma once

// From the command line's options to the library's job and options.

#include <waybill/waybill.hpp>

#include "media_type.hpp"
#include "settings.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace cli {

/// Splits at the first `separator`; without one the second part is empty.
inline std::pair<std::string, std::string> split(const std::string& text, std::string_view separator) {
    const auto at = text.find(separator);
    return at == std::string::npos ? std::pair(text, std::string())
                                   : std::pair(text.substr(0, at), text.substr(at + separator.size()));
}

// A secret stays in the environment: only the name of its variable is on the command line.
inline waybill::credentials_provider credentials(const settings& s) {
    std::map<std::string, std::string> variables;
    for (const std::string& one : s.credentials) {
        const auto at = one.rfind('=');
        variables[waybill::url(one.substr(0, at)).origin()] = one.substr(at + 1);
    }
    return [variables](const std::string& origin) {
        waybill::header_list headers;
        if (const auto found = variables.find(origin); found != variables.end()) {
            if (const char* const value = std::getenv(found->second.c_str())) {
                headers.push_back({"Authorization", value});
            }
        }
        return headers;
    };
}

inline waybill::options options_for(const settings& s) {
    waybill::options o;
    o.store.path = s.store;
    o.http.ca_file = s.ca_file;
    o.http.client_cert = s.cert_file;
    o.http.client_key = s.key_file;
    o.http.proxy = s.proxy;
    if (!s.proxy_password.empty()) {
        o.http.proxy_password = std::getenv(s.proxy_password.c_str());
    }
    o.credentials = credentials(s);
    o.max_concurrent_jobs = s.max_concurrent_jobs.value_or(o.max_concurrent_jobs);
    o.retry.attempts = s.attempts.value_or(o.retry.attempts);
    if (s.max_age) {
        o.retry.max_age = *s.max_age;
    }
    o.limits.connect = s.connect_timeout.value_or(o.limits.connect);
    o.limits.stall = s.stall_timeout.value_or(o.limits.stall);
    o.limits.response = s.answer_timeout.value_or(o.limits.response);
    return o;
}

/// A protocol by its name, with settings as they are stored.
struct chosen_protocol {
    waybill::protocol_spec value;
    [[nodiscard]] waybill::protocol_spec spec() const { return value; }
};

inline chosen_protocol protocol_from(const settings& s) {
    chosen_protocol chosen{{s.via, {}}};
    for (const std::string& one : s.protocol_settings) {
        chosen.value.settings.push_back(split(one, "="));
    }
    const char* const size = s.via == "s3" ? "part-size" : "chunk-size";
    for (const auto& [name, value] :
         {std::pair(size, s.chunk_size), std::pair("digest", s.digest), std::pair("parallel", s.parallel),
          std::pair("checksum", s.checksum), std::pair("method", s.method), std::pair("file-field", s.file_field)}) {
        if (!value.empty()) {
            chosen.value.settings.emplace_back(name, value);
        }
    }
    return chosen;
}

inline waybill::pause_options pause_from(const settings& s) {
    waybill::pause_options how;
    return how.lasting(s.pause_for.value_or(std::chrono::milliseconds(0))).why(s.why);
}

inline waybill::resolution decision_from(const settings& s) {
    return s.decision == "completed" ? waybill::resolution::completed
           : s.decision == "retry"   ? waybill::resolution::retry
                                     : waybill::resolution::canceled;
}

inline waybill::job job_from(const settings& s) {
    waybill::job job(s.to);
    job.via(protocol_from(s));
    if (!s.id.empty()) {
        job.id(waybill::job_id(s.id));
    }
    job.lane(s.lane, s.strict ? waybill::lane_order::strict : waybill::lane_order::by_origin);
    job.if_unknown(s.if_unknown == "retry"            ? waybill::on_unknown::retry
                   : s.if_unknown == "retry-same-key" ? waybill::on_unknown::retry_same_key
                                                      : waybill::on_unknown::park);
    job.if_item_fails(s.if_file_fails == "go-on" ? waybill::on_item_failure::go_on : waybill::on_item_failure::stop);
    for (const std::string& field : s.fields) {
        auto [name, value] = split(field, "=");
        job.field(std::move(name), std::move(value));
    }
    for (const std::string& header : s.headers) {
        auto [name, value] = split(header, ":");
        value.erase(0, value.find_first_not_of(' '));
        job.header(std::move(name), std::move(value));
    }
    std::ifstream table("/etc/mime.types");
    const media_types types(table);
    for (std::size_t i = 0; i < s.files.size(); ++i) {
        const std::string& file = s.files[i];
        waybill::item item = waybill::item::file(file.empty() ? file : std::filesystem::absolute(file).string());
        item.content_type(s.content_type.empty() ? types.of(file) : s.content_type);
        if (!s.names.empty()) {
            item.name(s.names[i]);
        }
        if (s.append_only) {
            item.append_only();
        }
        if (!s.fingerprint.empty()) {
            item.fingerprint(s.fingerprint == "whole"  ? waybill::fingerprint_scope::whole
                             : s.fingerprint == "none" ? waybill::fingerprint_scope::none
                                                       : waybill::fingerprint_scope::sampled);
        }
        job.add(std::move(item));
    }
    return job;
}

}  // namespace cli
