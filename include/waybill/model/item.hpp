// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/fingerprint.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace waybill {

/// Where an item's bytes come from. The numbers are stored.
enum class source_kind : std::uint8_t {
    file = 0,   ///< a whole file, as it was when the job was accepted
    range = 1,  ///< a byte range of a file
    bytes = 2,  ///< bytes kept in the store
};

/// One transferable payload of a job: a file, a byte range of a file, or bytes from memory.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class item {
public:
    /// A whole file. Its size, its times and a fingerprint of its content are recorded when the job is accepted; if it
    /// is written to later, the job fails with `errc::file_changed`.
    [[nodiscard]] static item file(std::string path) {
        item result(source_kind::file);
        result.path_ = std::move(path);
        return result;
    }

    /// `length` bytes from `offset` of a file.
    [[nodiscard]] static item range(std::string path, std::uint64_t offset, std::uint64_t length) {
        item result(source_kind::range);
        result.path_ = std::move(path);
        result.offset_ = offset;
        result.length_ = length;
        return result;
    }

    /// Bytes from memory; they are copied into the store and survive there. At most 4 MiB.
    [[nodiscard]] static item bytes(std::string name, std::string data) {
        item result(source_kind::bytes);
        result.name_ = std::move(name);
        result.length_ = data.size();
        result.data_ = std::move(data);
        return result;
    }

    /// The name the server sees. Default: the last component of the path.
    item& name(std::string value) {
        name_ = std::move(value);
        return *this;
    }

    /// The form field of a form upload. Default: the job's, see `multipart::file_field`.
    item& field(std::string value) {
        field_ = std::move(value);
        return *this;
    }

    /// The media type. Default: `application/octet-stream`.
    item& content_type(std::string value) {
        content_type_ = std::move(value);
        return *this;
    }

    /// The file is a log: it may grow after the job was accepted, and is only written to at its end. Only the bytes
    /// that existed at acceptance are sent. They are compared by a sampled fingerprint when the file is opened and when
    /// all were read; if the file became shorter or its bytes changed, the job fails with `errc::file_changed`.
    item& append_only() {
        append_only_ = true;
        return *this;
    }

    /// How many of the file's bytes are read when the job is accepted, to recognise it later. Default:
    /// `options::fingerprint`.
    item& fingerprint(fingerprint_scope value) {
        fingerprint_ = value;
        return *this;
    }

    [[nodiscard]] source_kind kind() const noexcept { return kind_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    /// The number of bytes of a range or byte string; 0 for a file: its size is recorded at acceptance.
    [[nodiscard]] std::uint64_t length() const noexcept { return length_; }
    [[nodiscard]] bool is_append_only() const noexcept { return append_only_; }
    [[nodiscard]] std::optional<fingerprint_scope> fingerprint() const noexcept { return fingerprint_; }
    [[nodiscard]] const std::string& data() const noexcept { return data_; }
    /// Empty: the job's.
    [[nodiscard]] const std::string& field() const noexcept { return field_; }
    [[nodiscard]] const std::string& content_type() const noexcept { return content_type_; }

    [[nodiscard]] std::string name() const {
        if (!name_.empty()) {
            return name_;
        }
        return path_.substr(path_.find_last_of('/') + 1);
    }

private:
    explicit item(source_kind kind) : kind_(kind) {}

    source_kind kind_;
    std::string path_;
    std::uint64_t offset_ = 0;
    std::uint64_t length_ = 0;
    bool append_only_ = false;
    std::optional<fingerprint_scope> fingerprint_;
    std::string data_;
    std::string name_;
    std::string field_;
    std::string content_type_ = "application/octet-stream";
};

}  // namespace waybill
