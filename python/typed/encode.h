// Writes a struct as a message of one segment: words of 8 bytes, the root pointer first.
//
// A field that has its default costs nothing: sections end with the last word that is not zero, a pointer to what is empty is null. So does Cap'n Proto's canonical form
// (capnproto.org/encoding.html#canonicalization), which readers of any age take. The words are a function of the values alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "python/typed/value.h"

namespace arenad::typed {

// Valid until the next call. Empty with a Python exception: a list has been filled past its checks, an object is in two places of what is written (it would be two
// after it is read again), or the message is larger than a message can be.
std::span<const uint64_t> encode(ValueObject* value);

// Into zeroed words. The words used; 0: they do not suffice, or a Python exception is set.
size_t encode_into(ValueObject* value, std::span<uint64_t> words);

}  // namespace arenad::typed
