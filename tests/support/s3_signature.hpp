// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/http_record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace waybill::test {

/// What `%XX` stands for.
[[nodiscard]] std::string percent_decode(const std::string& text);
/// Bytes from hexadecimal digits.
[[nodiscard]] std::string from_hex(const std::string& text);

/// A request's signature (Signature Version 4), in its headers or in its URL, verified from the request as it came:
/// written from the server's side, and independent of the library's signer.
class s3_signature {
public:
    s3_signature(const received_request& r, const std::string& secret_key);

    /// What is wrong with the request before its signature is looked at; empty: nothing.
    [[nodiscard]] const std::string& flaw() const noexcept { return flaw_; }
    [[nodiscard]] bool holds() const noexcept { return !expected_.empty() && expected_ == signature_; }
    [[nodiscard]] const std::string& access_key() const noexcept { return access_key_; }
    [[nodiscard]] const std::string& region() const noexcept { return region_; }
    /// When it was signed, in seconds since 1970.
    [[nodiscard]] std::int64_t time() const noexcept { return time_; }
    /// Seconds that a signed URL is valid; 0: the signature is in the headers.
    [[nodiscard]] std::int64_t valid() const noexcept { return valid_; }
    [[nodiscard]] const std::string& canonical() const noexcept { return canonical_; }

private:
    bool parse_authorization(const std::string& text);
    bool parse_query(const std::vector<std::string>& query);
    bool take_scope(const std::string& credential);
    void check_headers(const received_request& r);
    [[nodiscard]] std::string header_lines(const received_request& r) const;

    std::string flaw_;
    std::string access_key_;
    std::string day_;
    std::string region_;
    std::string service_;
    std::string names_;
    std::string signature_;
    std::string canonical_;
    std::string expected_;
    std::string date_;
    std::int64_t time_ = 0;
    std::int64_t valid_ = 0;
};

}  // namespace waybill::test
