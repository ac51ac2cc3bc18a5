// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/s3/xml.hpp>

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

namespace waybill::detail {

/// The root element of a document. pugixml knows no entities except the five of XML itself and character references,
/// skips document types, and parses without recursion.
class s3_document {
public:
    explicit s3_document(const std::string& body) {
        constexpr std::size_t most = 4 << 20;
        // White space may come first: a server sends it to keep a waiting connection alive.
        const auto begin = body.find_first_not_of(" \t\r\n");
        if (begin != std::string::npos && body.size() <= most) {
            const auto parsed =
                document_.load_buffer(body.data() + begin, body.size() - begin,
                                      pugi::parse_minimal | pugi::parse_escapes | pugi::parse_eol, pugi::encoding_utf8);
            sound_ = parsed.status == pugi::status_ok;
        }
    }

    [[nodiscard]] bool is(const char* name) const {
        return sound_ && std::string_view(document_.document_element().name()) == name;
    }
    [[nodiscard]] pugi::xml_node root() const { return document_.document_element(); }

    /// The text of a child, bounded; empty when there is none, or it is longer.
    [[nodiscard]] static std::string text(pugi::xml_node of, const char* child, std::size_t most) {
        const std::string_view value = of.child(child).text().get();
        return value.size() <= most ? std::string(value) : std::string();
    }
    [[nodiscard]] static std::optional<std::uint64_t> number(pugi::xml_node of, const char* child) {
        return parse_decimal(text(of, child, 20));
    }

private:
    pugi::xml_document document_;
    bool sound_ = false;
};

/// The element and header of a checksum.
[[nodiscard]] inline const char* checksum_element(std::string_view algorithm) noexcept {
    return algorithm == "sha256" ? "ChecksumSHA256" : "ChecksumCRC32C";
}

WAYBILL_DECL s3_error parse_s3_error(const std::string& body) {
    const s3_document document(body);
    s3_error found;
    if (document.is("Error") || document.is("ErrorResponse")) {  // the latter as other services of AWS have it
        const pugi::xml_node root = document.is("Error") ? document.root() : document.root().child("Error");
        found.code = printable_excerpt(s3_document::text(root, "Code", 128), 128);
        found.message = printable_excerpt(s3_document::text(root, "Message", 4096), 256);
        found.region = s3_document::text(root, "Region", 64);
        found.endpoint = printable_excerpt(s3_document::text(root, "Endpoint", 256), 256);
    }
    return found;
}

WAYBILL_DECL std::string parse_upload_id(const std::string& body) {
    const s3_document document(body);
    return document.is("InitiateMultipartUploadResult") ? s3_document::text(document.root(), "UploadId", 2048)
                                                        : std::string();
}

WAYBILL_DECL std::optional<s3_part_list> parse_part_list(const std::string& body, std::string_view checksum) {
    const s3_document document(body);
    if (!document.is("ListPartsResult")) {
        return std::nullopt;
    }
    s3_part_list list;
    std::uint64_t last = 0;
    for (const pugi::xml_node part : document.root().children("Part")) {
        const auto number = s3_document::number(part, "PartNumber");
        const auto size = s3_document::number(part, "Size");
        s3_listed_part one;
        one.etag = s3_document::text(part, "ETag", 256);
        if (!checksum.empty()) {
            one.checksum = s3_document::text(part, checksum_element(checksum), 64);
        }
        if (!number || !size || *number == 0 || one.etag.empty()) {
            return std::nullopt;
        }
        last = std::max(last, *number);
        one.number = *number;
        one.size = *size;
        list.parts.push_back(std::move(one));
    }
    if (s3_document::text(document.root(), "IsTruncated", 8) == "true") {
        // Not all servers say where the next page begins: it follows the last part of this one.
        list.next = s3_document::number(document.root(), "NextPartNumberMarker").value_or(last);
        if (list.next == 0) {
            return std::nullopt;
        }
    }
    return list;
}

WAYBILL_DECL std::optional<s3_completed> parse_completed(const std::string& body) {
    const s3_document document(body);
    if (!document.is("CompleteMultipartUploadResult")) {
        return std::nullopt;
    }
    s3_completed made;
    made.etag = s3_document::text(document.root(), "ETag", 256);
    made.checksum = s3_document::text(document.root(), checksum_element("crc32c"), 64);
    return made;
}

WAYBILL_DECL std::string complete_document(const std::vector<s3_sent_part>& parts, std::string_view checksum) {
    pugi::xml_document document;
    pugi::xml_node root = document.append_child("CompleteMultipartUpload");
    root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
    for (std::size_t i = 0; i < parts.size(); ++i) {
        pugi::xml_node part = root.append_child("Part");
        part.append_child("PartNumber").text().set(static_cast<unsigned long long>(i + 1));
        part.append_child("ETag").text().set(parts[i].etag.c_str());
        if (!checksum.empty()) {
            part.append_child(checksum_element(checksum)).text().set(parts[i].checksum.c_str());
        }
    }
    struct string_writer final : pugi::xml_writer {
        void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
        std::string text;
    } out;
    document.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
    return std::move(out.text);
}

}  // namespace waybill::detail
