// Messages as Python objects that are read where they lie: what an event, an old state or a result is when it comes to a game. Nothing is parsed before it is asked
// for; an attribute's read takes its value out of the message's words.
//
// A message owns a copy of its words, and whatever was read out of it keeps the message, so a reader may be kept as long as one likes.
#pragma once

#include <span>

#include <capnp/any.h>
#include <capnp/message.h>

#include "python/typed/layout.h"

namespace arenad::typed {

// Made once for each struct of a schema. False with an exception if that fails.
bool make_reader_type(StructType& type);

// The root of a message of one segment, root pointer first. NULL with ValueError if it is not valid as this type: every pointer in it is looked at.
PyObject* new_reader(const StructType& type, std::span<const uint64_t> words);

bool is_reader(PyObject* object, const StructType& type);
// What a reader or a list of one reads as, in structs and lists that can be changed: a new reference.
PyObject* thawed(PyObject* reader);
// The same, without a reader in between.
PyObject* thawed(const StructType& type, std::span<const uint64_t> words);

// The type of a reader; nullptr if it is none.
const StructType* type_of_reader(PyObject* object);
// The discriminant of its union.
uint16_t which_of_reader(PyObject* object);
// The whole message that it is the root of, or a part of.
std::span<const uint64_t> words_of_reader(PyObject* object);

}  // namespace arenad::typed
