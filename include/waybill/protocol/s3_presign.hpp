// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/s3/settings.hpp>
#include <waybill/protocol/s3/sigv4.hpp>
#include <waybill/protocol/s3_credentials.hpp>
#include <waybill/transport/request.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace waybill {

/// A URL that lets its holder send one object by `PUT` without keys: for a backend that hands out such URLs, and for
/// apps that receive them (`put` jobs). Sends no request.
///
/// @param object the object's URL, as that of an `s3` job: without a query.
/// @param who the signer's keys; `default_s3_credentials` returns those of the environment.
/// @param valid from `now` on, at most seven days. A job that may wait longer needs keys instead.
/// @param headers that the holder of the URL must send unchanged, such as `x-amz-acl` or `Content-Type`: those of a
///   `put` job, except the content type, which is its item's.
/// @par Errors
///   Throws `error`: `errc::invalid_url`, and `errc::invalid_setting` for a time or a region that no server accepts.
/// @par Security
///   The URL is a secret for as long as it is valid. It contains the access key's name, not the secret key.
[[nodiscard]] inline std::string s3_presigned_put(
    const std::string& object, s3_credentials who, std::chrono::seconds valid, std::string region = "us-east-1",
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now(), header_list headers = {}) {
    constexpr std::chrono::hours most(7 * 24);
    detail::check_s3_url(object);
    if (valid.count() < 1 || valid > most || !detail::is_s3_word(region)) {
        throw error(errc::invalid_setting, "a presigned URL is valid for 1 second to 7 days, in a named region");
    }
    request put;
    put.method = "PUT";
    put.url = object;
    put.headers = std::move(headers);
    detail::sigv4(std::move(who), std::move(region)).presign(put, unix_seconds(now), valid);
    return put.url;
}

}  // namespace waybill
