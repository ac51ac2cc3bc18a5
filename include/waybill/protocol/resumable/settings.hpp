// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/multipart_body.hpp>
#include <waybill/error.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/job.hpp>
#include <waybill/protocol/http_rules.hpp>

#include <cstdint>
#include <string>

namespace waybill::detail {

/// The settings of `resumable`, checked.
struct resumable_settings {
    int interop = 8;
    bool form = false;
    std::string file_field;  ///< of a form's items that name none; empty: `file`
    bool optimistic = false;
    std::string method = "POST";
    std::uint64_t chunk_size = 0;
    std::string digest;
    bool send_digests = false;
    std::string upload_url;

    /// Throws `errc::invalid_setting`.
    explicit resumable_settings(const protocol_spec& spec) {
        for (const auto& [name, value] : spec.settings) {
            if (!take(name, value)) {
                throw error(errc::invalid_setting, name + "=" + value);
            }
        }
        if (!form && !file_field.empty()) {
            throw error(errc::invalid_setting, "file-field: only a form has fields, see as_form()");
        }
        if (form && !upload_url.empty()) {
            throw error(errc::invalid_setting, "upload-url: only the client that created a form can continue it");
        }
        if (send_digests && digest.empty()) {
            digest = "sha-256";
        }
    }

private:
    [[nodiscard]] bool take(const std::string& name, const std::string& value) {
        if (name == "interop") {
            interop = value == "6" ? 6 : 8;
            return value == "6" || value == "8";
        }
        if (name == "form") {
            form = value == "1";
            return form;
        }
        if (name == "file-field") {
            file_field = value;
            return is_form_name(value);
        }
        if (name == "creation") {
            optimistic = value == "optimistic";
            return optimistic || value == "careful";
        }
        if (name == "method") {
            method = value;
            return value == "POST" || value == "PUT";
        }
        if (name == "chunk-size") {
            const auto bytes = parse_decimal(value);
            chunk_size = bytes.value_or(0);
            return bytes.has_value();
        }
        if (name == "digest") {
            digest = value;
            return value == "sha-256" || value == "crc32c";
        }
        if (name == "send-digests") {
            send_digests = value == "1";
            return send_digests;
        }
        if (name == "upload-url") {
            upload_url = url(value).str();
            return true;
        }
        return false;
    }
};

}  // namespace waybill::detail
