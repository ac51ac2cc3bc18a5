// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

// The documents an S3 server answers with.
namespace waybill::test {

inline std::string element(const std::string& name, const std::string& value) {
    std::string escaped;
    for (const char c : value) {
        escaped += c == '"' ? "&quot;" : c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    }
    return "<" + name + ">" + escaped + "</" + name + ">";
}

inline std::string document(const std::string& root, const std::string& inside) {
    return R"(<?xml version="1.0" encoding="UTF-8"?>)"
           "\n<" +
           root + R"( xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)" + inside + "</" + root + ">";
}

inline const char* element_of(const std::string& algorithm) {
    return algorithm == "SHA256" ? "ChecksumSHA256" : "ChecksumCRC32C";
}

}  // namespace waybill::test
