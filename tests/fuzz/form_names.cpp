// SPDX-License-Identifier: BSL-1.0
//
// A form with names and bytes of any kind, read back by a parser of its own, written from RFC 7578
// and the WHATWG standard: as many parts as were added, with the same names and bytes.

#include <waybill/body/multipart_body.hpp>

#include "fuzz/property.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace waybill::fuzz {
namespace {

constexpr std::string_view boundary = "waybill-8f3a1c";

class bytes_source final : public body_source {
public:
    explicit bytes_source(std::string bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return bytes_.size(); }
    void read(std::uint64_t offset, std::span<char> out) override {
        require(offset + out.size() <= bytes_.size(), "a source is read within its size");
        std::memcpy(out.data(), bytes_.data() + offset, out.size());
    }

private:
    std::string bytes_;
};

struct part {
    std::map<std::string, std::string> headers;
    std::map<std::string, std::string> parameters;  // of Content-Disposition
    std::string bytes;
};

/// Undoes the escapes a form may have; `%41` and the like were never one.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            unsigned value = 0x100;
            const char* const digits = text.data() + i + 1;
            const auto [end, ec] = std::from_chars(digits, digits + 2, value, 16);
            if (ec == std::errc() && end == digits + 2 && (value < 0x20 || value == 0x22 || value == 0x7F)) {
                out.push_back(static_cast<char>(value));
                i += 2;
                continue;
            }
        }
        out.push_back(text[i]);
    }
    return out;
}

/// `; name="…"`, again and again, to the end of the line.
std::optional<std::map<std::string, std::string>> parameters_of(std::string_view text) {
    std::map<std::string, std::string> found;
    while (!text.empty()) {
        const auto equals = text.find("=\"");
        if (!text.starts_with("; ") || equals == std::string_view::npos) {
            return std::nullopt;
        }
        const auto end = text.find('"', equals + 2);
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        found.emplace(text.substr(2, equals - 2), text.substr(equals + 2, end - equals - 2));
        text.remove_prefix(end + 1);
    }
    return found;
}

std::optional<part> part_of(std::string_view text) {
    part one;
    const auto blank = text.find("\r\n\r\n");
    if (blank == std::string_view::npos) {
        return std::nullopt;
    }
    one.bytes = text.substr(blank + 4);
    std::string_view head = text.substr(0, blank + 2);
    while (!head.empty()) {
        const std::string_view line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(line.size() + 2);
        const auto colon = line.find(": ");
        if (colon == std::string_view::npos || has_control(line)) {
            return std::nullopt;
        }
        one.headers.emplace(line.substr(0, colon), line.substr(colon + 2));
    }
    constexpr std::string_view form = "form-data";
    const std::string& disposition = one.headers["Content-Disposition"];
    if (!disposition.starts_with(form)) {
        return std::nullopt;
    }
    const auto parameters = parameters_of(std::string_view(disposition).substr(form.size()));
    one.parameters = parameters.value_or(std::map<std::string, std::string>());
    return parameters ? std::optional(one) : std::nullopt;
}

std::optional<std::vector<part>> parse(std::string body) {
    body.insert(0, "\r\n");
    const std::string delimiter = "\r\n--" + std::string(boundary);
    std::vector<part> parts;
    std::string_view rest = body;
    if (!rest.starts_with(delimiter)) {
        return std::nullopt;
    }
    rest.remove_prefix(delimiter.size());
    while (rest != "--\r\n") {
        const auto end = rest.find(delimiter);
        if (!rest.starts_with("\r\n") || end == std::string_view::npos) {
            return std::nullopt;
        }
        const auto one = part_of(rest.substr(2, end - 2));
        if (!one) {
            return std::nullopt;
        }
        parts.push_back(*one);
        rest.remove_prefix(end + delimiter.size());
    }
    return parts;
}

std::string read_in_pieces(multipart_body& body, std::size_t step) {
    std::string all(body.size(), '\0');
    for (std::size_t at = 0; at < all.size(); at += step) {
        body.read(at, std::span(all.data() + at, std::min(step, all.size() - at)));
    }
    return all;
}

}  // namespace

void check(std::string_view input) {
    if (input.size() < 2 || input.find(boundary) != std::string_view::npos) {
        return;  // a random boundary is in no part
    }
    const std::size_t step = 1 + static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    // Four texts apart by a byte that the first of them chooses: names can then hold line ends.
    const char apart = input.front();
    input.remove_prefix(1);
    std::array<std::string, 4> text;
    for (std::string& one : text) {
        one = input.substr(0, input.find(apart));
        input.remove_prefix(std::min(input.size(), one.size() + 1));
    }
    const auto& [field, value, file, bytes] = text;
    multipart_body body{std::string(boundary)};
    body.add_field(field, value);
    body.add_item(field, file, "image/jpeg", bytes.size(),
                  [&bytes = bytes] { return std::make_unique<bytes_source>(bytes); });
    body.add_field(file, bytes);
    body.finish();
    const std::string sent = read_in_pieces(body, step);
    require(sent.substr(body.items()[0].offset, bytes.size()) == bytes, "an item stands where the layout says");
    const auto parts = parse(sent);
    require(parts.has_value() && parts->size() == 3, "the form has as many parts as were added");
    const auto named = [](const part& p, const char* parameter, const std::string& name) {
        const auto found = p.parameters.find(parameter);
        return found != p.parameters.end() && unescaped(found->second) == unescaped(name);
    };
    require(named((*parts)[0], "name", field) && (*parts)[0].bytes == value, "a field keeps name and value");
    require((*parts)[0].headers.size() == 1 && (*parts)[0].parameters.size() == 1, "a field gets no header of ours");
    require(named((*parts)[1], "name", field) && named((*parts)[1], "filename", file), "a file keeps its names");
    require((*parts)[1].bytes == bytes && (*parts)[1].headers.size() == 2, "a file keeps its bytes");
    require(named((*parts)[2], "name", file) && (*parts)[2].bytes == bytes, "what follows a file is not touched");
}

}  // namespace waybill::fuzz
