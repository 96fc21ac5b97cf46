/// The words a metrics line is made of. The names appear in error messages, as upstream prints them.
enum ExpositionToken: String {
    case invalid = "INVALID"
    case end = "EOF"
    case linebreak = "LINEBREAK"
    case whitespace = "WHITESPACE"
    case help = "HELP"
    case type = "TYPE"
    case unit = "UNIT"
    case endWord = "EOFWORD"
    case text = "TEXT"
    case comment = "COMMENT"
    case metricName = "MNAME"
    case quotedName = "QSTRING"
    case braceOpen = "BOPEN"
    case braceClose = "BCLOSE"
    case labelName = "LNAME"
    case labelValue = "LVALUE"
    case comma = "COMMA"
    case equal = "EQUAL"
    case timestamp = "TIMESTAMP"
    case value = "VALUE"
}

/// What may come next: the same bytes are different tokens in different places.
///
///     name {  label = "value" ,  }  1.5  1700000000000 ⏎         # HELP name text ⏎
///     start│  labels │ labelValue│ value  timestamp               comment│metaName│metaText
///
/// OpenMetrics adds exemplars behind the value: ` # {label="value"} 0.5 1700000000.1`.
enum ExpositionState {
    case start, comment, metaName, metaText, labels, labelValue, value, timestamp
    case exemplar, exemplarValue, exemplarTimestamp
}
