// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/detail/crc32c.hpp>
#include <waybill/detail/digest.hpp>

#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

// The low-level functions are deprecated in OpenSSL 3, but EVP cannot export a state.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace waybill::detail {

/// The common part of the three: a chaining value of words, a 64-bit length in two halves, and a block that is not full
/// yet. `Words` returns the chaining value's words one after the other.
template <class Context, int (*Init)(Context*), int (*Update)(Context*, const void*, std::size_t),
          int (*Final)(unsigned char*, Context*), std::size_t Length, std::size_t Block>
class openssl_digest final : public digest {
public:
    openssl_digest() { Init(&context_); }

    void update(std::span<const char> bytes) override { Update(&context_, bytes.data(), bytes.size()); }

    [[nodiscard]] std::string value() const override {
        Context copy = context_;
        std::array<unsigned char, Length> out{};
        Final(out.data(), &copy);
        return {reinterpret_cast<const char*>(out.data()), out.size()};  // NOLINT: bytes are bytes
    }

    [[nodiscard]] std::string state() const override {
        encoder out;
        Context copy = context_;
        for (const auto* word : words(copy)) {
            out.number(*word);
        }
        out.text({reinterpret_cast<const char*>(copy.data), static_cast<std::size_t>(copy.num)});  // NOLINT
        return std::move(out).take();
    }

    [[nodiscard]] bool restore(std::string_view state) override {
        Context fresh{};
        Init(&fresh);
        decoder in(state);
        for (auto* word : words(fresh)) {
            *word = static_cast<std::remove_reference_t<decltype(*word)>>(in.number(0xFFFFFFFFU));
        }
        const std::string partial = in.text();
        // The length and the remaining bytes must agree: otherwise it is not a state of ours.
        if (!in.finished() || partial.size() >= Block || fresh.Nl / 8 % Block != partial.size() || fresh.Nl % 8 != 0) {
            return false;
        }
        std::memcpy(fresh.data, partial.data(), partial.size());
        fresh.num = static_cast<decltype(fresh.num)>(partial.size());
        context_ = fresh;
        return true;
    }

private:
    static auto words(SHA256_CTX& c) {
        return std::array{&c.h[0], &c.h[1], &c.h[2], &c.h[3], &c.h[4], &c.h[5], &c.h[6], &c.h[7], &c.Nl, &c.Nh};
    }
    static auto words(SHA_CTX& c) { return std::array{&c.h0, &c.h1, &c.h2, &c.h3, &c.h4, &c.Nl, &c.Nh}; }
    static auto words(MD5_CTX& c) { return std::array{&c.A, &c.B, &c.C, &c.D, &c.Nl, &c.Nh}; }

    Context context_{};
};

class crc32c_digest final : public digest {
public:
    void update(std::span<const char> bytes) override { crc_ = crc32c(crc_, {bytes.data(), bytes.size()}); }
    [[nodiscard]] std::string value() const override {
        std::string out;
        for (int shift = 24; shift >= 0; shift -= 8) {
            out.push_back(static_cast<char>(crc_ >> shift));
        }
        return out;
    }
    [[nodiscard]] std::string state() const override {
        encoder out;
        out.number(crc_);
        return std::move(out).take();
    }
    [[nodiscard]] bool restore(std::string_view state) override {
        decoder in(state);
        const auto crc = static_cast<std::uint32_t>(in.number(0xFFFFFFFFU));
        crc_ = in.finished() ? crc : crc_;
        return in.finished();
    }

private:
    std::uint32_t crc_ = 0;
};

WAYBILL_DECL std::unique_ptr<digest> digest::make(std::string_view algorithm) {
    if (algorithm == "sha-256") {
        return std::make_unique<openssl_digest<SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, 32, 64>>();
    }
    if (algorithm == "sha-1") {
        return std::make_unique<openssl_digest<SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final, 20, 64>>();
    }
    if (algorithm == "md5") {
        return std::make_unique<openssl_digest<MD5_CTX, MD5_Init, MD5_Update, MD5_Final, 16, 64>>();
    }
    return algorithm == "crc32c" ? std::make_unique<crc32c_digest>() : nullptr;
}

WAYBILL_DECL std::string digest_of(std::string_view algorithm, std::string_view bytes) {
    const std::unique_ptr<digest> d = digest::make(algorithm);
    d->update(bytes);
    return d->value();
}

WAYBILL_DECL std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::array<unsigned char, 32> out{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
         bytes.size(), out.data(), &length);                     // NOLINT
    return {reinterpret_cast<const char*>(out.data()), length};  // NOLINT
}

WAYBILL_DECL std::string to_base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // with the NUL that OpenSSL ends it with
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),          // NOLINT
                                       reinterpret_cast<const unsigned char*>(bytes.data()),  // NOLINT
                                       static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

// Not by OpenSSL, which also decodes invalid base64.
WAYBILL_DECL std::optional<std::string> from_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t padding = !last ? 0U : text[i + 2] == '=' ? 2U : text[i + 3] == '=' ? 1U : 0U;
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const auto digit = k + padding >= 4 ? 0 : alphabet.find(text[i + k]);
            if (digit == std::string_view::npos || (k + padding >= 4 && text[i + k] != '=')) {
                return std::nullopt;
            }
            group = group << 6 | static_cast<std::uint32_t>(digit);
        }
        for (std::size_t k = 0; k + padding < 3; ++k) {
            out.push_back(static_cast<char>(group >> (16 - 8 * k)));
        }
    }
    return out;
}

WAYBILL_DECL std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
        out.push_back(digits[static_cast<unsigned char>(c) & 15]);
    }
    return out;
}

}  // namespace waybill::detail

#pragma GCC diagnostic pop
