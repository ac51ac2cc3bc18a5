// SPDX-License-Identifier: BSL-1.0
#pragma once

// The media type of a file, by its extension.

#include "units.hpp"

#include <array>
#include <istream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace cli {

/// From IANA's registry, for systems without their own table: the most common types.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 36> common_media_types = {{
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"heic", "image/heic"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"m4a", "audio/mp4"},
    {"md", "text/markdown"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"txt", "text/plain"},
    {"wasm", "application/wasm"},
    {"wav", "audio/x-wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
}};

/// Types by extension.
class media_types {
public:
    /// @param table in the form of /etc/mime.types: lines of a type and its extensions. It comes first, because its
    ///   distribution keeps it up to date.
    explicit media_types(std::istream& table) {
        for (std::string line; std::getline(table, line);) {
            std::istringstream words(line.substr(0, line.find('#')));
            std::string type;
            words >> type;
            for (std::string extension; words >> extension;) {
                known_.try_emplace(lower(extension), type);
            }
        }
        for (const auto& [extension, type] : common_media_types) {
            known_.try_emplace(std::string(extension), type);
        }
    }

    [[nodiscard]] std::string of(const std::string& path) const {
        const std::string name = path.substr(path.find_last_of('/') + 1);
        const auto dot = name.find_last_of('.');
        const auto found =
            dot == std::string::npos || dot == 0 ? known_.end() : known_.find(lower(name.substr(dot + 1)));
        return found == known_.end() ? "application/octet-stream" : found->second;
    }

private:
    std::map<std::string, std::string> known_;
};

}  // namespace cli
