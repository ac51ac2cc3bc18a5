// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace waybill::detail {

/// A digest that is computed piece by piece, and whose state can be saved and restored: a transfer that continues in
/// mid-file continues its digest, too, without reading what it has sent before.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class digest {
public:
    virtual ~digest() = default;

    virtual void update(std::span<const char> bytes) = 0;
    /// The digest of everything so far, as raw bytes; more can follow.
    [[nodiscard]] virtual std::string value() const = 0;
    /// The state so far, for `restore`.
    [[nodiscard]] virtual std::string state() const = 0;
    /// Takes a state up. False, and unchanged, when it is not one of this algorithm.
    [[nodiscard]] virtual bool restore(std::string_view state) = 0;

    /// `sha-256`, `sha-1`, `md5` or `crc32c`, by the names of RFC 9530; null for others.
    [[nodiscard]] static std::unique_ptr<digest> make(std::string_view algorithm);
};

/// The digest of one piece.
[[nodiscard]] WAYBILL_DECL std::string digest_of(std::string_view algorithm, std::string_view bytes);

/// HMAC-SHA-256 (RFC 2104).
[[nodiscard]] WAYBILL_DECL std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// Base64 with padding (RFC 4648 section 4).
[[nodiscard]] WAYBILL_DECL std::string to_base64(std::string_view bytes);
/// The bytes; empty optional when the text is not base64 with padding.
[[nodiscard]] WAYBILL_DECL std::optional<std::string> from_base64(std::string_view text);
/// Lower-case hexadecimal.
[[nodiscard]] WAYBILL_DECL std::string to_hex(std::string_view bytes);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/digest.ipp>
#endif
