use std::collections::BTreeMap;

/// A value of BEP 3's encoding, which has one way of writing each: keys stand in the order of their bytes.
pub(super) enum Value {
    Int(u64),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Dict(BTreeMap<Vec<u8>, Value>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Int(number) => out.extend(format!("i{number}e").bytes()),
            Value::Bytes(bytes) => write_bytes(bytes, out),
            Value::List(values) => {
                out.push(b'l');
                values.iter().for_each(|value| value.write(out));
                out.push(b'e');
            }
            Value::Dict(values) => {
                out.push(b'd');
                for (key, value) in values {
                    write_bytes(key, out);
                    value.write(out);
                }
                out.push(b'e');
            }
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(format!("{}:", bytes.len()).bytes());
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::Value;
    use std::collections::BTreeMap;

    #[test]
    fn values_are_written_as_bep_3_has_them() {
        let dict = BTreeMap::from([
            (b"spam".to_vec(), Value::List(vec![Value::text("a"), Value::Int(0), Value::Bytes(vec![0xff])])),
            (b"cow".to_vec(), Value::Int(42)),
            (Vec::new(), Value::Dict(BTreeMap::new())),
        ]);
        assert_eq!(Value::Dict(dict).encode(), b"d0:de3:cowi42e4:spaml1:ai0e1:\xffee");
    }
}
