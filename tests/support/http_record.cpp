// SPDX-License-Identifier: BSL-1.0
#include "support/http_record.hpp"

#include <waybill/transport/response.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

namespace waybill::test {

std::string received_request::header(std::string_view name) const {
    return std::string(single_header(headers, name).value_or(""));
}

bool received_request::has_header(std::string_view name) const {
    return std::any_of(headers.begin(), headers.end(),
                       [&](const header_field& h) { return same_header(h.name, name); });
}

void http_log::change(const std::function<void(requests&)>& how) {
    {
        const std::lock_guard lock(mutex_);
        how(requests_);
    }
    changed_.notify_all();
}

void http_log::connection_accepted() {
    {
        const std::lock_guard lock(mutex_);
        ++connections_;
    }
    changed_.notify_all();
}

void http_log::connection_ended(std::uint64_t received) {
    {
        const std::lock_guard lock(mutex_);
        ++ended_;
        received_ += received;
    }
    changed_.notify_all();
}

http_log::requests http_log::all() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

int http_log::connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
}

void http_log::wait_until(const std::string& what, const std::function<bool(const requests&)>& enough,
                          std::chrono::milliseconds most) const {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, most, [&] { return enough(requests_); })) {
        throw std::runtime_error("waited in vain for " + what + "; the server got\n" + describe(requests_));
    }
}

void http_log::wait_for_connections(int count) const {
    wait_until(std::to_string(count) + " connections", [&](const requests&) { return connections_ >= count; });
}

std::uint64_t http_log::wait_for_all_bytes() const {
    wait_until("the end of all connections", [&](const requests&) { return ended_ == connections_; });
    const std::lock_guard lock(mutex_);
    return received_;
}

std::string describe(const http_log::requests& all) {
    std::string text;
    for (const received_request& r : all) {
        text += "  connection " + std::to_string(r.connection) + ": " + (r.well_formed ? r.method : "?") + " " +
                r.target + ", " + std::to_string(r.body_bytes) + " body bytes" +
                (r.complete ? ", complete" : ", incomplete") + (r.over ? "" : ", going on") +
                (r.script.empty() ? "" : ", met '" + r.script + "'") + "\n";
    }
    return text.empty() ? "  nothing\n" : text;
}

sha256_sum::sha256_sum() : state_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(state_), EVP_sha256(), nullptr);
}

sha256_sum::~sha256_sum() {
    EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(state_));
}

void sha256_sum::add(std::string_view bytes) {
    EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(state_), bytes.data(), bytes.size());
}

std::string sha256_sum::finish() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(state_), digest.data(), nullptr);
    std::string text;
    for (const unsigned char byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 0x0F];
    }
    return text;
}

std::string sha256(std::string_view bytes) {
    sha256_sum sum;
    sum.add(bytes);
    return sum.finish();
}

std::string sha256_of_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        throw std::runtime_error("cannot read " + path);
    }
    sha256_sum sum;
    std::string piece(1 << 20, '\0');
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
        sum.add({piece.data(), static_cast<std::size_t>(in.gcount())});
    }
    return sum.finish();
}

}  // namespace waybill::test
